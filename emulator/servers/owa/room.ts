// How much all posts of a process may have in memory at a time: whoever finds no room is sent away
// for a while, so that memory does not grow with the number of clients.

import { refusal } from './refusals.ts';

export class Room {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** A part of it for `work`, free again when that has ended. */
  async share<T>(work: (share: Share) => Promise<T>): Promise<T> {
    let taken = 0;
    const take = (bytes: number): void => {
      if (bytes > this.#free) throw refusal('overloaded');
      this.#free -= bytes;
      taken += bytes;
    };
    try {
      return await work({ take });
    } finally {
      this.#free += taken;
    }
  }
}

export interface Share {
  /** Errors: HttpError 503 where nothing is free. */
  take(bytes: number): void;
}
