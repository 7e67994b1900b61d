import { expect, test } from 'vitest';
import { seal, unseal } from './sealed.ts';

const secret = { secret: Buffer.alloc(32, 1) };
const iv = Buffer.alloc(12, 7);

test('what was sealed is opened under its label and secret, and nowhere else', () => {
  const text = seal(secret, 'one', { a: 1 }, iv);
  expect(unseal(secret, 'one', text)).toEqual({ a: 1 });
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('"a"');
  expect(unseal(secret, 'two', text)).toBe(null);
  expect(unseal({ secret: Buffer.alloc(32, 2) }, 'one', text)).toBe(null);
  const torn = Buffer.from(text, 'base64url');
  torn.writeUInt8(torn.readUInt8(20) ^ 1, 20);
  for (const other of [
    '',
    'x',
    `${text}=`,
    ` ${text}`,
    text.slice(0, 30),
    torn.toString('base64url'),
  ])
    expect(unseal(secret, 'one', other)).toBe(null);
});
