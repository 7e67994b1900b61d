// A Kinto that is asked batch by batch, and answers what a test says.

import type { Part, PartAnswer } from '../../agent/remotes/kinto/batch.ts';
import type { Kinto } from '../../agent/remotes/kinto/http.ts';

/** A server that answers each part with the next of these. */
export function serverOf(...answers: (PartAnswer[] | 'readOnly')[]) {
  const asked: Part[][] = [];
  const kinto = {
    bucketPath: () => '/b',
    collectionPath: (name: string) => `/b/${name}`,
    recordsPath: (name: string) => `/b/${name}/records`,
    async ask(parts: readonly Part[]) {
      asked.push([...parts]);
      return answers.shift() ?? 'readOnly';
    },
  };
  return { kinto: kinto as unknown as Kinto, asked };
}

export const answer = (status: number, headers: object = {}, body: unknown = ''): PartAnswer => ({
  ...{ status, headers, body },
});
