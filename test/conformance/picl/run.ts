// `npm run conformance:picl -- URL`: see command.ts.

import { main } from './command.ts';

process.exitCode = await main(process.argv.slice(2), {
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
});
