// When the device syncs by itself: what the next pass depends on, and the timer that begins it.
// It knows of local changes, of the last pass and of waits, and of nothing that a pass does.

import { SPREAD_MS } from './limits.ts';
import { isOn, type Machine, note } from './machine.ts';
import { type Alarm, chance, createAlarm } from './schedule/alarm.ts';
import { anchored } from './schedule/backoff.ts';
import { dueInMs } from './schedule/due.ts';

export interface Timetable extends Alarm {
  /** There is something to send, or to ask for; later changes go with the first one. */
  changed(): void;
  /** A pass begins, and takes the changes along. It calls what it gets when it has ended. */
  begin(): (haveGone: boolean) => void;
}

export function createTimetable(
  machine: Machine,
  passes: { isRunning(): boolean; run(): void },
): Timetable {
  const { platform, config } = machine;
  const { clock, entropy } = platform;
  let lastPassMs: number | null = null;
  let changedAtMs: number | null = null;
  /** See `ScheduleInput`. */
  let spread = chance(entropy);

  const anchor = (): void => {
    const { backoff } = machine.saved;
    if (backoff.server ?? backoff.own) {
      note(machine, { backoff: anchored(backoff, clock.nowMs()) });
    }
  };
  const alarm = createAlarm({
    platform,
    spreadMs: config.spreadMs ?? SPREAD_MS,
    ...passes,
    // Whatever the last pass ended with there is a next one: nothing that a server says is true for
    // ever.
    dueInMs() {
      if (!isOn(machine) || machine.state === 'syncing') return null;
      anchor();
      const { backoff, settings } = machine.saved;
      const intervalMs = settings.intervalMs ?? config.intervalMs;
      return dueInMs({
        ...{ nowMs: clock.nowMs(), lastPassMs, intervalMs, changedAtMs, backoff, spread },
      });
    },
    wifiOnly: () => machine.saved.settings.wifiOnly ?? config.wifiOnly,
  });

  return {
    ...alarm,
    changed() {
      if (changedAtMs !== null) return;
      changedAtMs = clock.nowMs();
      alarm.arm();
    },
    begin() {
      anchor();
      const unsentMs = changedAtMs;
      changedAtMs = null;
      return (haveGone) => {
        if (!haveGone) changedAtMs = unsentMs ?? changedAtMs;
        lastPassMs = clock.nowMs();
        spread = chance(entropy);
      };
    },
  };
}
