// What the client that wrote an account says that it holds (`expected` in an account file), in the
// shape in which a device's data is exported too: pages of history and logins. Only what the
// emulator compares is read and checked; everything else in the file is left alone.

export interface Visit {
  /** Microseconds since 1970. */
  readonly date: number;
  readonly type: number;
}

export interface Page {
  readonly guid: string;
  readonly url: string;
  readonly title: string | null;
  readonly visits: readonly Visit[];
}

export interface Login {
  readonly guid: string;
  readonly origin: string;
  readonly formActionOrigin: string | null;
  readonly httpRealm: string | null;
  readonly username: string | null;
  readonly password: string;
  readonly usernameField: string | null;
  readonly passwordField: string | null;
  readonly timeCreated: number | null;
  readonly timePasswordChanged: number | null;
}

/** What a device or a browser holds. */
export interface Holdings {
  readonly history: readonly Page[];
  readonly logins: readonly Login[];
}

export interface Expected extends Holdings {
  /** Pages that the client keeps to itself, and pages that it uploads without visits. */
  readonly notOnServer: ReadonlySet<string>;
}

/** Throws an Error of one line that names what is wrong. */
export function readExpected(value: unknown): Expected {
  const expected = object(value, 'expected');
  const ids = (name: string) =>
    list(expected[name] ?? [], `expected.${name}`).map((entry) =>
      typeof entry === 'string' ? entry : text(object(entry, name).guid, `expected.${name}.guid`),
    );
  return {
    history: list(expected.history, 'expected.history').map(readPage),
    logins: list(expected.logins, 'expected.logins').map(readLogin),
    notOnServer: new Set([...ids('historyNotUploaded'), ...ids('historyEmptied')]),
  };
}

function readPage(value: unknown, index: number): Page {
  const where = `expected.history[${index}]`;
  const page = object(value, where);
  const visits = list(page.visits, `${where}.visits`).map((entry) => {
    const visit = object(entry, `${where}.visits`);
    return { date: number(visit.date, `${where} date`), type: number(visit.type, `${where} type`) };
  });
  return {
    guid: text(page.guid, `${where}.guid`),
    url: text(page.url, `${where}.url`),
    title: textOrNull(page.title, `${where}.title`),
    visits,
  };
}

function readLogin(value: unknown, index: number): Login {
  const where = `expected.logins[${index}]`;
  const login = object(value, where);
  const textOf = (name: string) => text(login[name], `${where}.${name}`);
  return {
    guid: textOf('guid'),
    origin: textOf('origin'),
    formActionOrigin: textOrNull(login.formActionOrigin, `${where}.formActionOrigin`),
    httpRealm: textOrNull(login.httpRealm, `${where}.httpRealm`),
    username: textOf('username'),
    password: textOf('password'),
    usernameField: textOf('usernameField'),
    passwordField: textOf('passwordField'),
    timeCreated: number(login.timeCreated, `${where}.timeCreated`),
    timePasswordChanged: number(login.timePasswordChanged, `${where}.timePasswordChanged`),
  };
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${where} is not an object`);
}

function list(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new Error(`${where} is not a list`);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`${where} is not text`);
}

function textOrNull(value: unknown, where: string): string | null {
  return value === null || value === undefined ? null : text(value, where);
}

function number(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`${where} is not a number`);
}
