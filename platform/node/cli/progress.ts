// The agent's events for those who wait: lines for people, or the events themselves as JSON, one a
// line. A running pass counts on at most every few seconds. No content of a record is ever shown,
// but for a page that another device has sent to be shown.

import type { AgentEvent, PassReport, Status } from '../../../agent/index.ts';
import { adviceFor } from './advice.ts';
import { failureLine } from './complaint.ts';
import { type Incident, incidentText, withIncident } from './incidents.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

const COUNT_INTERVAL_MS = 3_000;

/** Takes the events of an agent, as JSON. */
export function progressPrinter(
  terminal: Pick<Terminal, 'write' | 'complain'>,
  json: boolean,
  nowMs: () => number = Date.now,
): (event: string) => void {
  let countedAtMs = Number.NEGATIVE_INFINITY;
  const incidents = new Map<string | undefined, readonly Incident[]>();
  return (text) => {
    if (json) return terminal.write(`${printableJson(JSON.parse(text))}\n`);
    const event = JSON.parse(text) as AgentEvent;
    const whose = event.remote;
    switch (event.kind) {
      case 'state':
        if (event.state === 'syncing' || event.state === 'enabling')
          terminal.write(line('syncing', whose));
        return;
      case 'progress':
        if (nowMs() - countedAtMs < COUNT_INTERVAL_MS) return;
        countedAtMs = nowMs();
        return terminal.write(line(`${event.collection}: ${counts(event)}`));
      case 'quarantine':
        return terminal.write(
          line(`${event.collection}: record ${event.id} is set aside (${event.code})`),
        );
      case 'page':
        return terminal.write(
          line(`another device sends a page: ${printable(event.title)} ${printable(event.url)}`),
        );
      case 'wiped':
        return terminal.write(
          line(`${event.collection}: dropped here and read anew, as another device wishes`),
        );
      case 'system':
        return terminal.complain(
          line(`${event.collection}: ${event.id ?? 'the system'}: ${event.error.message}`),
        );
      case 'beganAnew':
      case 'unprovenDeletion':
        // There may be one for each record: they are counted until the pass is over.
        incidents.set(whose, withIncident(incidents.get(whose) ?? [], event, nowMs()));
        return;
      case 'pass':
        for (const one of incidents.get(whose) ?? []) {
          terminal.complain(line(incidentText(one), whose));
        }
        incidents.delete(whose);
        if (event.report.error === null) terminal.write(passLine(event.report, whose));
        else terminal.complain(passLine(event.report, whose));
    }
  };
}

/**
 * How a pass went, with what can be done where it failed; of the service of this name, where there
 * are several.
 */
export function passLine(report: PassReport, service?: string): string {
  return line(report.error === null ? summary(report) : failed(report.error), service);
}

/**
 * What a pass that went well has left here: refused before, of a form that this version does not
 * know, or for somebody to decide.
 */
export function waitingLine(collections: Status['collections']): string {
  const counts = Object.entries(collections).map(([name, { pending, conflicts = 0 }]) => ({
    name,
    conflicts,
    others: pending - conflicts,
  }));
  const refused = counts.flatMap(({ name, others }) => (others > 0 ? [`${name} ${others}`] : []));
  const open = counts.flatMap(({ name, conflicts }) =>
    conflicts > 0 ? [`${name} ${conflicts}`] : [],
  );
  return [
    ...(refused.length > 0
      ? [
          line(
            `changes that wait here: ${refused.join(', ')} - kitsync status and quarantine say why`,
          ),
        ]
      : []),
    ...(open.length > 0
      ? [line(`changed here and elsewhere: ${open.join(', ')} - kitsync conflicts shows both`)]
      : []),
  ].join('');
}

function line(text: string, service?: string): string {
  const whose = service === undefined ? '' : `${service}: `;
  return `${new Date().toTimeString().slice(0, 8)}  ${whose}${text}\n`;
}

function failed(error: NonNullable<PassReport['error']>): string {
  const advice = adviceFor(error);
  return `sync failed: ${failureLine(error)}${advice === null ? '' : ` - ${advice}`}`;
}

function summary({ collections, requests }: PassReport): string {
  const moved = Object.entries(collections)
    .filter(([, { pulled, pushed }]) => pulled + pushed > 0)
    .map(([name, report]) => `${name} ${counts(report)}`);
  const asked = `${requests} request${requests === 1 ? '' : 's'}`;
  return `in sync: ${moved.length === 0 ? 'nothing new' : moved.join('; ')} (${asked})`;
}

function counts({ pulled, pushed }: { readonly pulled: number; readonly pushed: number }): string {
  return `${pulled} received, ${pushed} sent`;
}
