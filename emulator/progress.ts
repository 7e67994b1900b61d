// Progress for people, while a run goes on: a line for each step, and the counts of a running pass,
// which overwrite each other on a terminal and come at most every few seconds of device time
// elsewhere.

export interface Progress {
  /** A step was reached, or a running pass has counted on. */
  readonly kind: 'step' | 'count';
  readonly virtualMs: number;
  readonly text: string;
}

/** What is written to; `process.stdout` is one. */
interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const COUNT_INTERVAL_MS = 5_000;

export function progressPrinter(output: ProgressOutput): (progress: Progress) => void {
  let lastCountMs = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  return ({ kind, virtualMs, text }) => {
    const line = `${(virtualMs / 1000).toFixed(1).padStart(8)} s  ${text}`;
    if (output.isTTY) {
      // Back to the start of the line, and what was there goes.
      output.write(`${isOpen ? '\r\u001b[2K' : ''}${line}${kind === 'step' ? '\n' : ''}`);
      isOpen = kind === 'count';
    } else if (kind === 'step' || virtualMs - lastCountMs >= COUNT_INTERVAL_MS) {
      output.write(`${line}\n`);
      if (kind === 'count') lastCountMs = virtualMs;
    }
  };
}
