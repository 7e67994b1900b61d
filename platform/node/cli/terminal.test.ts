import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { InputRefused, printable, printableJson, processTerminal, textOf } from './terminal.ts';

const source = readFileSync(new URL('./terminal.ts', import.meta.url), 'utf8');
const built = join(temporaryFolder(), 'terminal.mjs');
writeFileSync(built, transformSync(source, { loader: 'ts', target: 'es2022' }).code);

/** What a process prints that does this with the real terminal, after it was given the input. */
async function inProcess(code: string, input: string, signal?: NodeJS.Signals) {
  const script = `import { processTerminal as terminal } from '${built}'; ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let [out, complaints] = ['', ''];
  child.stdout.on('data', (bytes) => {
    out += bytes;
    if (signal !== undefined && out.endsWith('ready\n')) child.kill(signal);
  });
  child.stderr.on('data', (bytes) => {
    complaints += bytes;
  });
  if (signal === undefined) child.stdin.end(input);
  const [exitCode] = await once(child, 'close');
  return { out, complaints, exitCode };
}

describe('the terminal of a process', () => {
  it('reads a line after the other, and all of the input, and writes to two streams', async () => {
    const read = `
      terminal.write(JSON.stringify([await terminal.readLine(), terminal.isInteractive]));
      terminal.complain('told');
      terminal.exit(7);`;
    expect(await inProcess(read, 'one\ntwo\n')).toEqual({
      // A pipe is nobody who can be asked.
      out: '["one",null]',
      complaints: 'told',
      exitCode: 7,
    });
    const all = 'terminal.write(JSON.stringify([await terminal.read()]));';
    expect((await inProcess(all, 'one\nä')).out).toBe('["one\\nä"]');
    const none = 'terminal.write(JSON.stringify([await terminal.readLine(true)]));';
    expect(await inProcess(none, '')).toEqual({ out: '[""]', complaints: '', exitCode: 0 });
  });

  it('tells a wish to stop until nobody wants to hear of it any more', async () => {
    const stop = `
      terminal.onStop(() => { terminal.write('stopped'); terminal.exit(0); });
      const none = terminal.onStop(() => terminal.write('not this'));
      none();
      setInterval(() => undefined, 1000);
      terminal.write('ready\\n');`;
    const { out, exitCode } = await inProcess(stop, '', 'SIGTERM');
    expect([out, exitCode]).toEqual(['ready\nstopped', 0]);
  });

  it('takes its ear off the signals', () => {
    const before = process.listenerCount('SIGINT');
    const back = processTerminal.onStop(() => undefined);
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    back();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

test('an input without an end is refused at the limit', async () => {
  let pieces = 0;
  async function* endless() {
    for (;;) {
      pieces++;
      yield 'abc';
    }
  }
  await expect(textOf(endless(), 8)).rejects.toEqual(
    new InputRefused('the input has more than 8 characters'),
  );
  expect(pieces).toBe(3);
});

const FAMILY = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
const ENGLAND = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';

test.each([
  ['plain text', 'Grüße, 世界', 'Grüße, 世界', '"Grüße, 世界"'],
  ['ends of lines', 'a\r\n\u2028b\tc\u0085d', 'a b c d', '"a\\r\\n\\u2028b\\tc\\u0085d"'],
  ['what a terminal obeys', 'a\u001b[2Jb\u009bc', 'a\\u001b[2Jb\\u009bc', '"a\\u001b[2Jb\\u009bc"'],
  ['what turns a line', 'a\u202ebc\u2066', 'a bc ', '"a\\u202ebc\\u2066"'],
  ['what has no form', 'a\u200bb\ufeff', 'a b ', '"a\\u200bb\\ufeff"'],
  ['emoji of several parts', FAMILY, FAMILY, `"${FAMILY}"`],
  ['the flag of a region', ENGLAND, ENGLAND, `"${ENGLAND}"`],
  ['a tag that marks a language', 'a\u{e0001}b', 'a b', '"a\\udb40\\udc01b"'],
])('%s is shown so that no terminal obeys it', (_, text, shown, json) => {
  expect(printable(text)).toBe(shown);
  expect(printableJson(text)).toBe(json);
  expect(JSON.parse(printableJson(text))).toBe(text);
});
