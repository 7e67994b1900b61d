import { describe, expect, it } from 'vitest';
import type { ExchangeLimits, StreamedBody } from '../ports.ts';
import { createPatience } from './patience.ts';
import { collect, startUpload } from './upload.ts';

const LIMITS: ExchangeLimits = {
  ...{ timeoutMs: 60_000, windowMs: 60_000, windowBytesMin: 1_000, longestMs: 600_000 },
};

/** A body of these pieces, then an error if there is one; how many were asked for. */
function bodyOf(pieces: readonly (string | Uint8Array)[], error?: Error) {
  const asked = { count: 0 };
  const body: StreamedBody = {
    open: () => ({
      async next() {
        const piece = pieces[asked.count++];
        if (piece === undefined && error !== undefined) throw error;
        return piece ?? null;
      },
    }),
  };
  return { asked, body };
}

/** A patience whose limits are seen. */
function patience() {
  const set: number[] = [];
  const made = createPatience(() => new Error('late'));
  const seen = {
    ...made,
    set: (limitMs: number) => {
      set.push(limitMs);
      made.set(limitMs);
    },
  };
  return { set, seen };
}

const text = async (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

describe('a body that is streamed', () => {
  const start = (body: StreamedBody, limits = LIMITS) => {
    const { set, seen } = patience();
    return { set, seen, upload: startUpload(body, limits, performance.now(), seen) };
  };

  it('leaves piece by piece, texts as UTF-8, and is asked for one at a time', async () => {
    const { asked, body } = bodyOf(['ä', Uint8Array.of(98), 'c']);
    const { upload, seen } = start(body);
    expect([asked.count, upload.isComplete]).toEqual([0, false]);
    expect(await text(upload.stream)).toBe('äbc');
    expect([asked.count, upload.isComplete]).toEqual([4, true]);
    seen.rest();
  });

  it('is waited for as long as the limits leave: pieces, and at last the answer', async () => {
    const { body } = bodyOf(['a']);
    const { upload, set, seen } = start(body, { ...LIMITS, timeoutMs: 5_000, windowMs: 3_000 });
    await text(upload.stream);
    // While the source is asked it has what is left of the whole.
    const [forSource = 0, forPiece = 0, again = 0, forAnswer = 0] = set;
    expect([forSource > 500_000, again > 500_000]).toEqual([true, true]);
    expect(Math.round(forPiece / 1_000)).toBe(3);
    expect(forAnswer).toBe(5_000);
    seen.rest();
    const short = start(bodyOf([]).body, { ...LIMITS, longestMs: 2_000 });
    await text(short.upload.stream);
    expect(short.set.at(-1)).toBeLessThanOrEqual(2_000);
    short.seen.rest();
  });

  it('ends the patience with what its source failed with', async () => {
    const failed = new Error('the source broke');
    const { body } = bodyOf(['a'], failed);
    const { upload, seen } = start(body);
    await expect(text(upload.stream)).rejects.toThrow(failed);
    await expect(seen.over).rejects.toThrow(failed);
    expect(upload.isComplete).toBe(false);
  });

  it('stays open when it is stopped: what has left is not the whole', async () => {
    for (const error of [undefined, new Error('later')]) {
      const { asked, body } = bodyOf(['a'], error);
      const { upload, seen } = start(body);
      const reader = upload.stream.getReader();
      await reader.read();
      upload.stop();
      const ended = reader.read().then(() => 'ended');
      const waited = new Promise((resolve) => setTimeout(resolve, 10, 'still open'));
      expect(await Promise.race([ended, waited])).toBe('still open');
      expect([asked.count, upload.isComplete]).toEqual([1, false]);
      seen.rest();
    }
  });

  it('that is stopped while its source is asked tells nobody of its failure', async () => {
    let fail = (_: Error): void => undefined;
    const body: StreamedBody = {
      open: () => ({
        next: () =>
          new Promise((_, reject) => {
            fail = reject;
          }),
      }),
    };
    const { upload, seen } = start(body);
    void upload.stream.getReader().read();
    await Promise.resolve();
    upload.stop();
    fail(new Error('too late to matter'));
    const waited = new Promise((resolve) => setTimeout(resolve, 10, 'quiet'));
    expect(await Promise.race([seen.over.catch(() => 'told'), waited])).toBe('quiet');
    seen.rest();
  });
});

describe('a body that is collected', () => {
  it('is whole, however many pieces it has', async () => {
    const pieces = Array.from({ length: 150 }, (_, at) => `${at},`);
    const blob = await collect(bodyOf(pieces).body, patience().seen, 10_000);
    expect(await blob.text()).toBe(pieces.join(''));
    expect((await collect(bodyOf([]).body, patience().seen, 0)).size).toBe(0);
  });

  it('keeps its own copy of what it was given', async () => {
    const piece = Uint8Array.of(97);
    const body: StreamedBody = {
      open: () => {
        let isGiven = false;
        return {
          async next() {
            if (isGiven) {
              piece[0] = 98;
              return null;
            }
            isGiven = true;
            return piece;
          },
        };
      },
    };
    expect(await (await collect(body, patience().seen, 1)).text()).toBe('a');
  });

  it('has a limit, which is named before more is asked for', async () => {
    const { asked, body } = bodyOf(['abc', 'd', 'e']);
    await expect(collect(body, patience().seen, 3)).rejects.toMatchObject({
      code: 'unsupported',
      message: 'request: the body has more than 3 bytes, and is sent whole here',
    });
    expect(asked.count).toBe(2);
    expect((await collect(bodyOf(['abc']).body, patience().seen, 3)).size).toBe(3);
  });

  it('is given up when nobody waits any more, and fails as its source does', async () => {
    const { seen } = patience();
    const never: StreamedBody = { open: () => ({ next: () => new Promise(() => undefined) }) };
    const waiting = collect(never, seen, 10);
    seen.end(new Error('late'));
    await expect(waiting).rejects.toThrow('late');
    const failed = new Error('the source broke');
    await expect(collect(bodyOf([], failed).body, patience().seen, 9)).rejects.toThrow(failed);
  });
});
