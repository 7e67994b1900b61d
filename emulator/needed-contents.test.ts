import { expect, test } from 'vitest';
import { contentsFor } from './needed-contents.ts';
import { parseEmulate } from './options.ts';

const of = (...args: string[]) => contentsFor(parseEmulate(args));

test('what is shipped is asked for by nothing', () => {
  expect(of()).toBeUndefined();
  expect(of('--protocol', 'sync15')).toBeUndefined();
});

test('a device on another protocol alone holds its collections, and nothing of Sync', () => {
  expect(of('--protocol', 'owa')).toEqual(['owa', 'installedApps']);
  expect(of('--protocol', 'picl')).toEqual(['picl', 'history', 'passwords']);
});

test('several remotes are a content of their own', () => {
  const contents = of('--remote', 'apps=owa', '--remote', 'people=kinto');
  expect(contents).toEqual(
    expect.arrayContaining(['syncto', 'owa', 'kinto', 'installedApps', 'contacts', 'several']),
  );
});

test('who signs in by themselves has what it takes', () => {
  expect(of('--protocol', 'sync15', '--sign-in')).toContain('signIn');
  const onKinto = ['--protocol', 'kinto', '--sign-in', '--backup', '1'];
  expect(of(...onKinto)).toContain('recoverySignIn');
});
