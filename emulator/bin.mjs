#!/usr/bin/env node
// The `kitsync` command: makes Node read TypeScript, then runs the commands for real servers, or those of the
// emulator.

import { register } from 'tsx/esm/api';

register();
const REAL = [
  ...['sign-in', 'import', 'sign-out', 'sync', 'status', 'devices'],
  ...['list', 'export', 'put', 'delete'],
];
const args = process.argv.slice(2);
const { main } = await import(REAL.includes(args[0]) ? '../platform/node/cli/main.ts' : './cli.ts');
process.exitCode = await main(args);
