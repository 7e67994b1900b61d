// Members that a firmware calls by short names (firmware-bundle/members.ts) are in nothing that
// leaves it or comes to it: every text at the bridge is looked through, of passes that read, write
// and make known all that there is.

import { beforeAll, expect, test } from 'vitest';
import { syncNames } from '../firmware-bundle/contents.ts';
import { shortMembers } from '../firmware-bundle/members.ts';
import { corpusAccount } from '../test/support/device.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';

const TV = loadProfile('panasonic-cx700');
const DATE_US = 1_795_323_276_914_594;
const MEMBERS = [...Object.keys(shortMembers), ...Object.values(shortMembers)];

/** A last script, which stands between the agent and the bridge: a member in JSON ends the run. */
const TAP = `(function (registry) {
  var boot = registry.boot, found = '';
  var look = function (head, text) {
    var one = /\\b(${MEMBERS.join('|')})\\\\*":/.exec(head + text);
    if (one) found = one[1];
  };
  var checked = function (run, head, text) {
    look(head, text);
    if (found) throw new Error(found + ' crosses the bridge');
    return run();
  };
  return function (host) {
    var agent = boot(function (op, id, head, text, bytes) {
      look(head, text);
      var answer = host(op, id, head, text, bytes);
      look('', typeof answer === 'string' ? answer : '');
      return answer;
    });
    return {
      deliver: function (id, error, head, text, bytes) {
        checked(function () { agent.deliver(id, error, head, text, bytes); }, head, text);
      },
      command: function (id, name, text) {
        checked(function () { agent.command(id, name, text); }, '', text);
      },
    };
  };
})`;

let shipped: Firmware;
let everything: Firmware;
beforeAll(async () => {
  shipped = await freshFirmware(TV.name);
  everything = await freshFirmware(TV.name, syncNames);
});

async function run(
  protocol: 'syncto' | 'sync15',
  firmware: Firmware,
  tap: string,
): Promise<ScenarioResult> {
  return runScenario({
    profile: TV,
    firmware: { ...firmware, parts: [...firmware.parts, { file: 'tap.js', code: tap }] },
    account: corpusAccount(),
    ...{ protocol, auth: 'bearer', crypto: 'device', seed: 1 },
    edits: [
      {
        ...{ collection: 'history', op: 'put' },
        record: { url: 'https://put.example/', visits: [{ date: DATE_US, type: 1 }] },
      },
      {
        collection: 'passwords',
        op: 'delete',
        record: { id: '{29efa3b4-1f56-4763-8ea5-950b8fe90824}' },
      },
    ],
  });
}

test.each(['syncto', 'sync15'] as const)('nothing at the bridge has one, over %s', async (by) => {
  const result = await run(by, by === 'syncto' ? shipped : everything, TAP);
  expect(result.problems).toEqual([]);
  expect(result.records.history).toMatchObject({ held: 65, pushed: 1 });
});

test('the run ends where there is one', async () => {
  const tap = TAP.replace(MEMBERS.join('|'), 'histUri');
  const { problems } = await run('syncto', shipped, tap);
  expect(problems.join()).toContain('histUri crosses the bridge');
});
