// `kitsync quarantine`: the records of the server that were set aside, by collection, each with its
// reason. They stay on the server as they are; nothing of what is in them is shown.

import { contents } from './contents.ts';
import { checkCollections, knownServices } from './known-services.ts';
import { withApi } from './local.ts';
import { readNotes } from './notes.ts';
import type { LocalOptions } from './options.ts';
import type { MarkPage } from './stored.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

/** Errors: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function quarantine(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, words, json, remote } = options;
  const services = knownServices(readNotes(directory), remote);
  checkCollections(services, words, DEVICES);
  await withApi(directory, async (api) => {
    for (const { name: service, collections } of services) {
      const known = [...collections, ...DEVICES];
      for (const name of words.length > 0 ? known.filter((one) => words.includes(one)) : known) {
        await show(name, service);
      }
    }
    async function show(name: string, service: string): Promise<void> {
      let after: string | null = null;
      do {
        const page: MarkPage = await api.marks(name, after, service);
        for (const { collection, id, code, modifiedMs } of page.marks) {
          const why = wordsFor(code);
          const row = [collection, id, code, new Date(modifiedMs).toLocaleDateString('sv-SE'), why];
          terminal.write(
            json
              ? `${printableJson({ collection, id, code, modifiedMs, why })}\n`
              : `${row.map(printable).join('\t')}\n`,
          );
        }
        after = page.next;
      } while (after !== null);
    }
  });
}

/** What a code of the quarantine means. */
function wordsFor(code: string): string {
  return WORDS.get(code) ?? 'it could not be used';
}

/** Each service has its account's. */
const DEVICES: readonly string[] = [contents.devices.collection.name];

const NOT_SEALED = 'it is not as records are sealed: another program has written or changed it';
const NOT_PROVEN =
  'it does not prove itself under the key of the account: changed, or sealed with another key';

const WORDS: ReadonlyMap<string, string> = new Map([
  ['badMac', NOT_PROVEN],
  ...['badIv', 'badBase64', 'badPadding', 'badPayload'].map((code) => [code, NOT_SEALED] as const),
  ['badUtf8', 'its text is not UTF-8'],
  ['badJson', 'what is sealed in it is not JSON'],
  ['notAnObject', 'what is sealed in it is no record'],
  ['idMismatch', 'it was sealed as another record, and put in the place of this one'],
  ['badEnvelope', 'the server shows it without a time or a content'],
  ['badId', 'the server shows it under an id that no record may have'],
  ['tooLarge', 'it is larger than any browser writes'],
  ['unknownForm', 'it is of a form that this version does not know: a newer one may'],
  ['killedDevice', 'the program ended twice while it was read'],
  ['unreadable', "the server's version cannot be read, and refuses the change that was made here"],
  ['conflict', 'the server refuses the change that was made here'],
  ['damaged', 'the mark itself is damaged'],
]);
