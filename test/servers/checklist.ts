// What is said of the storage node and the token server, wherever they keep what they know.

await import('../../emulator/servers/checklist.test.ts');
await import('../../emulator/servers/sync15.test.ts');
await import('../../emulator/servers/sync15-access.test.ts');
await import('../../emulator/servers/batch.test.ts');
await import('../../emulator/servers/selection.test.ts');
await import('../../emulator/servers/token.test.ts');
