/* SPDX-License-Identifier: Apache-2.0 */
{
  const next = document.getElementById('next');
  const go = () => location.replace(next.href);
  if (next) {
    addEventListener('load', go);
    setTimeout(go, 4000); // the header Refresh waits for a frame that never loads, this does not
  }
}
