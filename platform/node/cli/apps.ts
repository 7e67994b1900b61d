// The user's web apps on this machine: `kitsync apps list`, `install`, `remove`, `promote`, `hide`.
// What is installed lies in the folder `apps` of the data, a file each; where apps are shown is
// this machine's alone. Errors of all: those of local.ts.

import type { AppsOptions } from './apps-options.ts';
import { UsageError } from './complaint.ts';
import type { LocalApi } from './control.ts';
import { recordsIn } from './edits.ts';
import { DOCUMENT_BYTES_MAX, readGiven } from './given-files.ts';
import { recordsOf, withApi } from './local.ts';
import { printable, type Terminal } from './terminal.ts';

const COLLECTION = 'apps';

type App = Awaited<ReturnType<LocalApi['list']>>['records'][number];

export async function apps(options: AppsOptions, terminal: Terminal): Promise<void> {
  const { action, directory } = options;
  const manifest = action === 'install' ? await manifestOf(options, terminal) : null;
  await withApi(directory, async (api) => {
    if (action === 'list') return list(api, options, terminal);
    for (const origin of options.origins) {
      if (manifest !== null) await install(api, origin, manifest, options, terminal);
      else if (action === 'remove') await api.delete(COLLECTION, origin);
      else if (action === 'promote') await api.promote(origin, !options.isOff);
      else await api.hide(origin, !options.isOff);
    }
    await api.appsSettled();
  });
}

async function list(
  api: LocalApi,
  { limit, purpose, json }: AppsOptions,
  terminal: Terminal,
): Promise<void> {
  const found: App[] = [];
  for await (const app of recordsOf(api, COLLECTION, limit, { purpose })) found.push(app);
  if (json) terminal.write(`${JSON.stringify(found)}\n`);
  else for (const app of found) terminal.write(rowOf(app));
}

/** Name, where it is from and what has become of it. */
function rowOf({ guid, manifest, sync, here }: App): string {
  const { name = '' } = (manifest ?? {}) as { readonly name?: unknown };
  const { promoted, hidden, state } = here as { [member: string]: unknown };
  const from = sync === true ? 'elsewhere' : 'here';
  const marks = [promoted === true ? 'promoted' : '', hidden === true ? 'hidden' : ''];
  const cells = [guid, name, [from, ...marks.filter((mark) => mark !== '')].join(','), state];
  return `${cells.map((cell) => printable(`${cell}`)).join('\t')}\n`;
}

async function install(
  api: LocalApi,
  origin: string,
  manifest: object,
  { manifestUrl }: AppsOptions,
  terminal: Terminal,
): Promise<void> {
  const url = manifestUrl === null ? {} : { manifest_url: manifestUrl };
  const id = await api.put(COLLECTION, { id: origin, manifest, ...url });
  await api.appsSettled();
  const app = await api.get(COLLECTION, id);
  const { state } = (app?.here ?? {}) as { readonly state?: unknown };
  terminal.write(`${printable(id)}\t${printable(`${state}`)}\n`);
}

/** In a file, or on the input. Errors: `UsageError`. */
async function manifestOf({ file }: AppsOptions, terminal: Terminal): Promise<object> {
  const text = file === null ? terminal.read() : `${readGiven(file, DOCUMENT_BYTES_MAX)}`;
  const [manifest, ...more] = recordsIn(await text, 'manifest');
  if (manifest === undefined || more.length > 0) throw new UsageError('give one manifest');
  return manifest;
}
