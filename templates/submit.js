/* SPDX-License-Identifier: Apache-2.0 */
HTMLFormElement.prototype.submit.call(document.forms[0]);
