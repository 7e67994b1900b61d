// kinto.js as a program of the emulated machine: one sync into an adapter that counts records and
// keeps none. No cryptography, no storage: the least that a device with kinto.js would have to do.

import './kinto-polyfills.js';
import Kinto, { BaseAdapter } from 'kinto';

let imported = 0;

class DiscardingAdapter extends BaseAdapter {
  async execute(callback) {
    return callback({
      get: () => undefined,
      create: () => {
        imported += 1;
      },
      update: () => {},
      delete: () => {},
    });
  }
  async list() {
    return [];
  }
  async saveLastModified(value) {
    return value;
  }
  async getLastModified() {
    return null;
  }
  async saveMetadata(value) {
    return value;
  }
}

/** Calls `done` with the number of records, or -1 and a reason. */
export function sync(done) {
  const kinto = new Kinto({
    remote: 'https://kinto.example/v1',
    bucket: 'sync',
    adapter: () => new DiscardingAdapter(),
    events: { emit() {}, on() {} },
  });
  const collection = kinto.collection('history', {
    idSchema: { generate: () => '', validate: () => true },
  });
  collection.sync().then(
    ({ ok, errors }) => done(ok ? imported : -1, ok ? '' : String(errors[0]?.message)),
    (error) => done(-1, String(error)),
  );
}
