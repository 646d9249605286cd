/* SPDX-License-Identifier: Apache-2.0 */
{
  const { origin, response } = document.getElementById('answer').dataset;
  const receiver = window.parent === window ? window.opener : window.parent;
  if (receiver) receiver.postMessage({ type: 'authorization_response', response: JSON.parse(response) }, origin);
}
