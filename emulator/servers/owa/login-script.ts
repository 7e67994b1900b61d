// What runs in the login page, as a text: it is served to browsers and to nobody else. It gets an
// assertion from the browser's own account manager where there is one, else from the accounts
// server with a password, and posts it to the page around the frame if its origin is on the list.
// What is typed goes to the accounts server as its hash, and nowhere else.

export const LOGIN_SCRIPT = `'use strict';
(function () {
  const { origins, audience, accounts } = JSON.parse(document.body.dataset.config);
  const NAMES = 'identity.mozilla.com/picl/v1/';
  const utf8 = (text) => new TextEncoder().encode(text);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const base64url = (bytes) =>
    btoa(String.fromCharCode(...bytes)).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
  const unbase64url = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  const decimal = (text) => BigInt('0x' + hex(unbase64url(text))).toString();
  const show = (text) => {
    document.getElementById('said').textContent = text;
  };

  async function bits(algorithm, secret, length) {
    const key = await crypto.subtle.importKey('raw', secret, algorithm.name, false, ['deriveBits']);
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8));
  }

  function derive(secret, name, length) {
    const salt = new Uint8Array();
    return bits({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8(NAMES + name) }, secret, length);
  }

  async function ask(path, body, headers) {
    const sent = { method: 'POST', headers: headers || {}, body: JSON.stringify(body) };
    sent.headers['Content-Type'] = 'application/json';
    const answer = await fetch(accounts + path, sent);
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(json.message || 'HTTP ' + answer.status);
    return json;
  }

  async function signedIn(email, password) {
    const salt = utf8(NAMES + 'quickStretch:' + email);
    const stretch = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 };
    const authPW = hex(await derive(await bits(stretch, utf8(password), 32), 'authPW', 32));
    const { sessionToken } = await ask('/v1/account/login', { email, authPW });
    const id = hex((await derive(unhex(sessionToken), 'sessionToken', 96)).subarray(0, 32));
    return { Authorization: 'Bearer fxs_' + id };
  }

  async function assertionFor(email, password) {
    const session = await signedIn(email, password);
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const size = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
    const keys = await crypto.subtle.generateKey({ ...rsa, ...size }, false, ['sign']);
    const { n, e } = await crypto.subtle.exportKey('jwk', keys.publicKey);
    const publicKey = { algorithm: 'RS', n: decimal(n), e: decimal(e) };
    const asked = { publicKey, duration: 300000 };
    const { cert } = await ask('/v1/certificate/sign', asked, { ...session });
    ask('/v1/session/destroy', {}, { ...session }).catch(() => undefined);
    // The accounts server's clock is the one that counts.
    const { exp } = JSON.parse(new TextDecoder().decode(unbase64url(cert.split('.')[1])));
    const claims = { aud: audience, iss: '127.0.0.1', exp };
    const parts = [{ alg: 'RS256' }, claims].map((part) => base64url(utf8(JSON.stringify(part))));
    const signed = parts.join('.');
    const signature = await crypto.subtle.sign(rsa.name, keys.privateKey, utf8(signed));
    return cert + '~' + signed + '.' + base64url(new Uint8Array(signature));
  }

  function post(assertion) {
    const around = window.opener || (window.parent === window ? null : window.parent);
    if (around === null) return show('This page is for a frame of another one.');
    // The browser hands it over where the origin is that of the page, and nowhere else.
    const message = { type: 'owa-login', assertion, audience };
    for (const origin of origins) around.postMessage(message, origin);
    show('Signed in.');
  }

  document.getElementById('login').addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const own = navigator.id && navigator.id.getVerifiedEmail;
    if (own) return navigator.id.getVerifiedEmail((assertion) => assertion && post(assertion));
    if (form.password.value === '') {
      form.fields.hidden = false;
      return form.email.focus();
    }
    form.button.disabled = true;
    show('');
    try {
      post(await assertionFor(form.email.value, form.password.value));
      form.password.value = '';
      form.fields.hidden = true;
    } catch (error) {
      show(error.message);
    }
    form.button.disabled = false;
  });
})();
`;
