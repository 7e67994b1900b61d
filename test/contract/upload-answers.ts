// Part of the upload suite (uploads.ts): what reaches the source of a body while it goes up. An
// early answer, a server that takes its time, a limit.

import { expect, it } from 'vitest';
import type { ExchangeLimits, Network, StreamedBody } from '../../platform/ports.ts';
import { type Server, SILENT, SLOW } from './network-server.ts';
import {
  bodyOf,
  endless,
  listed,
  PIECE_MAX,
  readerOf,
  recorder,
  send,
  textOf,
  turns,
  type UploadTraits,
  URL_BASE,
} from './upload-bodies.ts';

export function announced(serve: (server: Server) => Promise<Network>): void {
  it('is announced with its length where that is known', async () => {
    const { seen, server } = recorder();
    const network = await serve(server);
    await textOf(await send(network, listed(['abc', 'd'], 4)));
    expect(seen.pop()?.length).toBe('4');
  });
}

export function earlyAnswers(serve: (server: Server) => Promise<Network>): void {
  it.each([401, 413])('is not gone on with after an early answer: %i', async (status) => {
    const network = await serve(async (request) => {
      await readerOf(request).next();
      return new Response('why', { status });
    });
    const body = endless('x'.repeat(1_000));
    const response = await send(network, body);
    const asked = body.asked();
    expect(response.status).toBe(status);
    expect(await textOf(response)).toBe('why');
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
    // Nothing of it disturbs the next one.
    expect((await send(network, listed(['a']))).status).toBe(status);
  });

  it('is not gone on with after an early answer that nobody reads', async () => {
    const network = await serve(() => new Response('why', { status: 413 }));
    const body = endless('x'.repeat(1_000));
    const response = await send(network, body);
    response.cancel();
    response.cancel();
    expect(await response.read()).toBeNull();
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
  });

  it('never looks whole to a server that answers early and reads on', async () => {
    let isWhole = false;
    const readOn = async (request: Request): Promise<void> => {
      const reader = readerOf(request);
      while (await reader.next());
      isWhole = true;
    };
    const network = await serve((request) => {
      readOn(request).catch(() => undefined);
      return new Response('why', { status: 413 });
    });
    const response = await send(network, endless('x'.repeat(1_000)));
    expect(await textOf(response)).toBe('why');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isWhole).toBe(false);
  });

  it('takes an answer as it is, whatever its source does afterwards', async () => {
    const network = await serve(() => new Response('why', { status: 413 }));
    let fail: (error: Error) => void = () => undefined;
    const body = bodyOf((index) =>
      index === 0
        ? 'x'
        : new Promise((_, reject) => {
            fail = reject;
          }),
    );
    const response = await send(network, body);
    fail(new Error('mine'));
    await turns();
    expect([response.status, await textOf(response)]).toEqual([413, 'why']);
  });
}

export function backPressure(
  serve: (server: Server) => Promise<Network>,
  traits: UploadTraits,
): void {
  it('asks for a piece when the one before has left', async () => {
    let release: () => void = () => undefined;
    let taken: () => number = () => 0;
    const network = await serve(async (request) => {
      const reader = readerOf(request);
      taken = reader.taken;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      while (await reader.next());
      return new Response(`${reader.taken()}`);
    });
    const count = 4 * Math.ceil(traits.onTheWayBytesMax / PIECE_MAX) + 8;
    let onTheWayBytes = 0;
    const piece = new Uint8Array(PIECE_MAX);
    const body = bodyOf((index) => {
      if (index === count) return null;
      onTheWayBytes = Math.max(onTheWayBytes, (index + 1) * PIECE_MAX - taken());
      return piece;
    });
    const sent = send(network, body);
    // While the server takes nothing, as much as fits on the way is asked for, and no more.
    for (let before = -1; before < body.asked(); ) {
      before = body.asked();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(body.asked()).toBeLessThan(count);
    release();
    expect(await textOf(await sent)).toBe(`${count * PIECE_MAX}`);
    expect(onTheWayBytes).toBeLessThanOrEqual(traits.onTheWayBytesMax);
  });
}

export function limits(serve: (server: Server) => Promise<Network>): void {
  /** Takes 100 bytes in half a second, also where the network does not see to it. */
  const slowly: Server = async (request) => {
    const reader = readerOf(request);
    while (await reader.next()) await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response('ok');
  };
  const upload = async (
    body: StreamedBody,
    path: string,
    more: Partial<ExchangeLimits>,
  ): Promise<string> => {
    const network = await serve(slowly);
    return textOf(await send(network, body, { url: URL_BASE + path, ...more }));
  };
  const many = (count: number) => bodyOf((index) => (index < count ? 'x' : null));

  it('may go up as slowly as the lowest rate', async () => {
    const more = { windowMs: 1_000, windowBytesMin: 20, longestMs: 30_000 };
    expect(await upload(many(60), SLOW, more)).toBe('ok');
  });

  it('is given up below the lowest rate, although it never stands still', async () => {
    const more = { windowMs: 150, windowBytesMin: 500, longestMs: 30_000 };
    const body = many(9_000);
    await expect(upload(body, SLOW, more)).rejects.toMatchObject({ code: 'timeout' });
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
  });

  it('is given up after the longest time, however fast it goes', async () => {
    const more = { windowMs: 9_000, windowBytesMin: 1, longestMs: 300 };
    await expect(upload(many(9_000), SLOW, more)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is waited for when it was sent, and no longer than that', async () => {
    const sent = upload(many(3), SILENT, { timeoutMs: 60 });
    await expect(sent).rejects.toMatchObject({ code: 'timeout' });
  });

  it('has no time counted in which its source makes a piece', async () => {
    const body = bodyOf(async (index) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return index < 2 ? 'x' : null;
    });
    const more = { timeoutMs: 500, windowMs: 500, windowBytesMin: 1_000 };
    const network = await serve(async (request) => new Response(await request.text()));
    expect(await textOf(await send(network, body, more))).toBe('xx');
  });
}
