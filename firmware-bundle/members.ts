// Members that never leave the program: no host, server, app or flash gets or gives an object that
// has them, so a firmware calls them by names of two characters, which are bytes of the file and
// heap of the device. Whatever JSON may hold has no place here: what the device sets (config.ts,
// limits.ts), what is stored in whatever form, what crosses the bridge, what is of a wire; a name
// that the program has as a text has none either. members.test.ts holds that.

const NAMES = `platform local serverNowMs mirror clock nowMs saved deviceNowMs envelope
  sessions outgoing entropy abort addressPrefix incoming bodyBytes isResuming update waitMs
  failedInRow lastError isEmpty evictable isUnknownForm chars things nextSeq waitedMs
  send knownMs states emit letter authorize isLeaving isOver addCharsMax refreshMeta indexed
  prepare deletion pendingIds buried observes deleting standing nextPage decrypts mirrorIds
  complaint newId indexes keyName lock refreshKeys takeString takeScalar`.split(/\s+/);

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** By a member's name, what a firmware calls it. */
export const shortMembers: Readonly<Record<string, string>> = Object.fromEntries(
  NAMES.map((name, at) => [name, `_${LETTERS[at]}`]),
);
