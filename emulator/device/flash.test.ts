import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockFile } from '../../platform/sqlite/block-files.ts';
import { Flash, PowerCut } from './flash.ts';
import type { Fault } from './flash-image.ts';
import { createRandom } from './random.ts';

const profile = { quotaBytes: 64 * 4096, pageBytes: 4096, programUs: 300, readUs: 100, syncUs: 9 };

function newFlash(charge: (durationUs: number) => void = () => {}): Flash {
  return new Flash({ profile, charge });
}

function fileOf(flash: Flash, name = 'f'): BlockFile {
  const file = flash.open(name, true);
  if (file === null) throw new Error('not opened');
  return file;
}

function contentOf(file: BlockFile): Uint8Array {
  const content = new Uint8Array(file.size());
  file.read(content, 0);
  return content;
}

const page = (fill: number) => new Uint8Array(4096).fill(fill);

describe('flash', () => {
  it('reads what was written, in any pieces, zeros in between', () => {
    const piece = fc.record({
      offset: fc.nat(20_000),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }),
      truncateTo: fc.option(fc.nat(20_000)),
      sync: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const file = fileOf(newFlash());
        let model = new Uint8Array(0);
        const resize = (length: number) => {
          const next = new Uint8Array(length);
          next.set(model.subarray(0, length));
          model = next;
        };
        for (const { offset, bytes, truncateTo, sync } of pieces) {
          file.write(bytes, offset);
          resize(Math.max(model.length, offset + bytes.length));
          model.set(bytes, offset);
          if (truncateTo !== null) {
            file.truncate(truncateTo);
            resize(truncateTo);
          }
          if (sync) file.sync();
          expect(Buffer.compare(contentOf(file), model)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('programs each dirty page once a sync, and one more for a new size', () => {
    const flash = newFlash();
    const file = fileOf(flash);
    for (let at = 0; at < 8192; at += 512) file.write(new Uint8Array(512), at);
    expect(flash.events).toBe(0);
    file.sync();
    expect(flash.counters).toMatchObject({ pagesProgrammed: 2, metadataProgrammed: 1, syncs: 1 });
    file.write(page(1), 4096);
    file.sync();
    file.sync();
    expect(flash.counters).toMatchObject({ pagesProgrammed: 3, metadataProgrammed: 1, syncs: 3 });
    expect(flash.wearMax).toBe(2);
  });

  it('programs what has waited longest when much waits', () => {
    const flash = newFlash();
    const file = fileOf(flash, 'long');
    for (let index = 0; index < 64; index++) file.write(page(1), 0);
    expect(flash.events).toBe(0);
    const big = new Flash({ profile: { ...profile, quotaBytes: 2 ** 20 }, charge() {} });
    const bigFile = fileOf(big);
    for (let index = 0; index < 66; index++) bigFile.write(page(1), index * 4096);
    expect(big.events).toBe(2);
  });

  it('charges programs, reads and syncs', () => {
    const charges: number[] = [];
    const file = fileOf(newFlash((durationUs) => charges.push(durationUs)));
    file.write(page(1), 0);
    file.sync();
    file.read(new Uint8Array(10), 100);
    expect(charges).toEqual([9, 300, 300, 100]);
  });

  it('is full at its quota, and has room again after a removal', () => {
    const flash = newFlash();
    const file = fileOf(flash);
    file.truncate(60 * 4096);
    expect(() => fileOf(flash, 'other').truncate(5 * 4096)).toThrow(
      expect.objectContaining({ code: 'full' }),
    );
    file.close();
    flash.remove('f');
    fileOf(flash, 'other').truncate(5 * 4096);
  });
});

describe('a power cut', () => {
  const faults: Fault[] = ['kept', 'lost', 'reordered', 'torn'];

  it.each(faults)('keeps all that was synced (%s)', (fault) => {
    const flash = newFlash();
    const file = fileOf(flash);
    file.write(page(1), 0);
    file.sync();
    file.write(page(2), 4096);
    const next = flash.reboot(createRandom(3), fault);
    expect(contentOf(fileOf(next)).subarray(0, 4096)).toEqual(page(1));
    expect(() => file.size() && file.sync()).toThrow(PowerCut);
  });

  it('leaves an un-synced page old, new or torn, and sizes old or new', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const flash = newFlash();
      const file = fileOf(flash);
      file.write(page(1), 0);
      file.sync();
      file.write(page(2), 0);
      file.truncate(8192);
      const found = contentOf(fileOf(flash.reboot(createRandom(seed), 'torn')));
      const bytes = new Set(found.subarray(0, 4096));
      const kind = bytes.size > 1 ? 'torn' : bytes.has(1) ? 'old' : 'new';
      seen.add(`${kind} ${found.length}`);
    }
    expect([...seen].sort()).toEqual(
      ['new 4096', 'new 8192', 'old 4096', 'old 8192', 'torn 4096', 'torn 8192'].sort(),
    );
  });

  it('comes at the chosen write, which is then old, new or torn', () => {
    const flash = newFlash();
    const file = fileOf(flash);
    file.write(page(1), 0);
    file.write(page(2), 4096);
    flash.cutAt = 2;
    expect(() => file.sync()).toThrow(PowerCut);
    expect(flash.events).toBe(1);
    expect(() => flash.exists('f')).toThrow(PowerCut);
    expect(flash.reboot(createRandom(1), 'lost').exists('f')).toBe(false);
    expect(contentOf(fileOf(flash.reboot(createRandom(1), 'kept')))).toHaveLength(8192);
  });

  it('takes a removal back or not, but never one that returned', () => {
    const flash = newFlash();
    const file = fileOf(flash);
    file.write(page(1), 0);
    file.sync();
    flash.cutAt = flash.events + 1;
    expect(() => flash.remove('f')).toThrow(PowerCut);
    const lost = flash.reboot(createRandom(1), 'lost');
    expect(contentOf(fileOf(lost))).toEqual(page(1));
    expect(flash.reboot(createRandom(1), 'kept').exists('f')).toBe(false);
    lost.cutAt = null;
    lost.remove('f');
    expect(lost.reboot(createRandom(1), 'lost').exists('f')).toBe(false);
  });

  it('is the same for the same seed', () => {
    const image = (seed: number) => {
      const flash = newFlash();
      fileOf(flash).write(page(5), 0);
      return flash.imageAfterCut(createRandom(seed), 'torn');
    };
    expect(image(4)).toEqual(image(4));
  });
});
