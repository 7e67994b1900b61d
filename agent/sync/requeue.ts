// What a whole listing has not shown: after a reset of what was agreed on, the device's data stays,
// and what the server turns out not to have goes up again, or is gone there and goes here.

import { mayWrite } from '../collections/collection.ts';
import { eachPage } from '../store/pages.ts';
import { NO_ENTRY } from '../store/record.ts';
import { rewriteEach } from '../store/rewrite.ts';
import { receive, requeued } from './merge.ts';
import type { CollectionPass } from './pass-context.ts';

/** What has been deleted without a word. */
export const GONE = { body: null, text: '', version: '', modifiedMs: null };

/**
 * At the end of the listing after a reset: records that it did not show become local changes, or go
 * if they are not the device's to write.
 */
export async function requeueUnseen(pass: CollectionPass): Promise<void> {
  const { store } = pass;
  if (!store.state.resetting) return;
  await eachPage(store, false, (ids, isLast) => requeue(pass, ids, isLast));
}

async function requeue(pass: CollectionPass, ids: readonly string[], last: boolean): Promise<void> {
  const { store } = pass;
  const times = { serverNowMs: null, deviceNowMs: pass.platform.clock.nowMs() };
  await rewriteEach(
    store,
    ids.map((id) => ({ id })),
    (transaction, before, { id }) => {
      if (before.mirror === null || before.mirror.epoch === store.state.epoch) return;
      // The server has a version that this device cannot read: ours must not replace it.
      if (before.quarantined) return;
      if (!mayWrite(store.collection, id, pass.clientId)) {
        transaction.set(id, before, NO_ENTRY);
        return;
      }
      if (store.state.gone) {
        const seq = transaction.nextSeq();
        transaction.set(id, before, receive(store.collection, before, GONE, 0, times, seq));
        return;
      }
      transaction.set(
        id,
        before,
        requeued(before, times.deviceNowMs, () => transaction.nextSeq()),
      );
    },
    (transaction) => {
      if (last) transaction.update({ resetting: false, gone: undefined, damaged: undefined });
    },
  );
}
