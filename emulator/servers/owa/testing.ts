// For tests: a user of an OWA server who logs in with an assertion, as any client does, and asks
// for the document.

import type { TestWorld } from '../testing.ts';

/** What a server is asked through. */
export type OwaWorld = Pick<TestWorld, 'fetch' | 'device'> & {
  readonly urls: Pick<TestWorld['urls'], 'owa'>;
  readonly clock: { nowMs: number };
};

interface OwaAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface OwaUser {
  readonly resource: string;
  readonly auth: string;
  readonly email: string;
  readonly clients: number;
  /** `body`: a text as it is, anything else as JSON. */
  ask(method: string, body?: unknown, headers?: Record<string, string>): Promise<OwaAnswer>;
  /** What the server holds. Errors: Error where it does not say so. */
  document(): Promise<Record<string, unknown>>;
  /** Posts a document, as another client does. Errors: Error where it is refused. */
  post(document: Record<string, unknown>): Promise<void>;
}

/** The form of a login; undefined: without that field. */
export async function askVerify(
  world: OwaWorld,
  fields: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<OwaAnswer> {
  const audience = fields.audience ?? new URL(world.urls.owa).origin;
  const assertion = await world.device.assertion(audience, false);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries({ assertion, audience, ...fields }))
    if (value !== undefined) form.set(name, value);
  const init = { method: 'POST', headers, body: form.toString() };
  return answerOf(await world.fetch(new Request(`${world.urls.owa}/verify`, init)));
}

export async function signIn(
  world: OwaWorld,
  fields: Record<string, string | undefined> = {},
): Promise<OwaUser> {
  const { json } = await askVerify(world, fields);
  if (json?.status !== 'okay') throw new Error(`not let in: ${JSON.stringify(json)}`);
  const { resource, auth, email, clients } = json;
  const ask: OwaUser['ask'] = async (method, body, headers = {}) => {
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const init = { method, headers: { Authorization: auth, ...headers } };
    const request = new Request(resource, {
      ...init,
      ...(sent === undefined ? {} : { body: sent }),
    });
    return answerOf(await world.fetch(request));
  };
  return {
    ...{ resource, auth, email, clients, ask },
    async document() {
      const { status, json: document } = await ask('GET');
      if (status !== 200) throw new Error(`the document is not there: ${status}`);
      return document;
    },
    async post(document) {
      const { status, text } = await ask('POST', document);
      if (status !== 204 && status !== 200) throw new Error(`refused: ${status} ${text}`);
    },
  };
}

async function answerOf(response: Response): Promise<OwaAnswer> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
