// Runs inside Firefox: `storage.sync` of the extension with an id, by the functions that its own
// calls end in.

export async function setItems(id, items) {
  await storage().set({ id }, items);
}

export async function removeItems(id, keys) {
  await storage().remove({ id }, keys);
}

export async function clear(id) {
  await storage().clear({ id });
}

export async function getItems(id) {
  return storage().get({ id }, null);
}

function storage() {
  return ChromeUtils.importESModule('resource://gre/modules/ExtensionStorageSync.sys.mjs')
    .extensionStorageSync;
}
