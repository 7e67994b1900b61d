// What a sign-in to a Kinto has to be told in secret: a password or a token, and a recovery code.
// From a person at a terminal, the lines of the input, a file, or the environment; never from the
// arguments, which other users see.

import { UsageError } from './complaint.ts';
import { PASSWORD } from './credentials.ts';
import type { KintoSignInOptions } from './kinto-options.ts';
import { readPrivate } from './private-files.ts';
import type { Terminal } from './terminal.ts';

/** The environment's names for both. */
const PASSWORD_VARIABLE = 'KITSYNC_PASSWORD';
const CODE_VARIABLE = 'KITSYNC_RECOVERY_CODE';

export interface Secrets {
  /** Errors: `UsageError`. */
  password(): Promise<string>;
  /** A code that was given without being asked for; null: none was. */
  givenCode(): string | null;
  /** A code that is asked for; empty: nobody gives one. */
  code(question: string): Promise<string>;
}

export function secretsFor(
  options: Pick<KintoSignInOptions, 'user' | 'isBearer' | 'passwordFile'>,
  terminal: Terminal,
): Secrets {
  const { isInteractive = false, environment = {} } = terminal;
  const what = options.isBearer ? 'token' : 'password';
  /** Lines of the input that nobody has taken yet; null: it was not read. */
  let lines: string[] | null = null;
  const line = async (question: string, isSecret: boolean): Promise<string> => {
    if (isInteractive) {
      // Whoever sees the question may type already: by then the terminal has to be quiet.
      const reading = terminal.readLine(isSecret);
      terminal.complain(question);
      return (await reading).trim();
    }
    lines ??= (await terminal.read()).split(/\r?\n/);
    return lines.shift() ?? '';
  };
  const found = async (): Promise<string> => {
    if (options.passwordFile !== null) {
      return readPrivate(options.passwordFile).split(/\r?\n/, 1)[0] ?? '';
    }
    const whose = options.user === null ? '' : ` of ${options.user}`;
    const title = `${what[0]?.toUpperCase()}${what.slice(1)}${whose}: `;
    return environment[PASSWORD_VARIABLE] ?? line(title, true);
  };
  return {
    async password() {
      const password = await found();
      if (password === '') throw new UsageError(`no ${what} was given`);
      const isGood = options.isBearer ? /^[!-~]{1,8192}$/ : PASSWORD;
      if (isGood.test(password)) return password;
      throw new UsageError(
        options.isBearer
          ? 'a token must be 1 to 8,192 ASCII characters'
          : 'a password must be 1 to 1,024 characters in one line',
      );
    },
    givenCode: () =>
      environment[CODE_VARIABLE] ?? (lines?.find((one) => one.trim() !== '') || null),
    code: async (question) => environment[CODE_VARIABLE] ?? line(question, false),
  };
}
