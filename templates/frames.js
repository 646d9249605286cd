/* SPDX-License-Identifier: Apache-2.0 */
{
  const next = document.getElementById('next');
  if (next) addEventListener('load', () => location.replace(next.href));
}
