// The contract of PiCL servers, in memory and without a network.

import { piclServerContract } from '../../../test/contract/picl-server.ts';
import { memoryBsos } from '../memory-bsos.ts';
import { memoryPlaces } from '../place-storage.ts';
import { memoryStorage } from '../storage/local-storage.ts';
import { emptyAccount, startWorld } from '../testing.ts';

piclServerContract('a PiCL server in memory', async (picl) => {
  const storage = memoryStorage();
  const account = emptyAccount();
  const { store } = account;
  const kept = { bsos: memoryBsos(store), places: memoryPlaces(store), picl: storage };
  return { world: startWorld({ account, picl, storage: kept }), storage };
});
