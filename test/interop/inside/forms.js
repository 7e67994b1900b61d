// Runs inside Firefox: what a user types into forms, the postal addresses that Firefox fills them
// with, and what it holds of both.

/** `entries`: {name, value}. */
export async function addEntries(entries) {
  await changeEntries('add', entries);
}

export async function removeEntries(entries) {
  await changeEntries('remove', entries);
}

export async function listEntries() {
  const rows = await formHistory().search(['guid', 'fieldname', 'value'], {});
  return rows.map(({ guid, fieldname, value }) => ({ guid, name: fieldname, value }));
}

/** Resolves to its guid. */
export async function addAddress(address) {
  return (await addresses()).add(address);
}

/** Members that `changes` does not name stay. */
export async function changeAddress(guid, changes) {
  return (await addresses()).update(guid, changes, true);
}

export async function removeAddress(guid) {
  (await addresses()).remove(guid);
}

/** As they are stored: without what Firefox computes of them. */
export async function listAddresses() {
  return (await addresses()).getAll({ rawData: true });
}

async function changeEntries(op, entries) {
  await formHistory().update(entries.map(({ name, value }) => ({ op, fieldname: name, value })));
}

function formHistory() {
  return ChromeUtils.importESModule('resource://gre/modules/FormHistory.sys.mjs').FormHistory;
}

async function addresses() {
  const { formAutofillStorage } = ChromeUtils.importESModule(
    'resource://autofill/FormAutofillStorage.sys.mjs',
  );
  await formAutofillStorage.initialize();
  return formAutofillStorage.addresses;
}
