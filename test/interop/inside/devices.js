// Runs inside Firefox: the account's other devices as Firefox knows them, commands for them, and
// open tabs.

/** The records of all devices that Firefox lists, without what it has added to them. */
export async function listDevices() {
  return weave().clientsEngine.remoteClients.map((record) => {
    const { serverLastModified, ...members } = record.cleartext ?? record;
    return members;
  });
}

export async function ownName() {
  return weave().clientsEngine.localName;
}

/** Goes out with the next sync. `displayURI` is what older Firefoxes sent pages with. */
export async function sendCommand(command, args, id) {
  const { clientsEngine } = weave();
  clientsEngine._commands.displayURI ??= { args: 3, importance: 1 };
  await clientsEngine.sendCommand(command, args, id);
}

/** Resolves when the page is there. */
export async function openTab(url) {
  const { gBrowser } = Services.wm.getMostRecentWindow('navigator:browser');
  const triggeringPrincipal = Services.scriptSecurityManager.getSystemPrincipal();
  const { linkedBrowser } = gBrowser.addTab(url, { triggeringPrincipal });
  while (linkedBrowser.currentURI.spec !== url) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The ids of all devices that the accounts server lists, as Firefox has them. */
export async function listAccountDevices() {
  const { fxAccounts } = weave().clientsEngine;
  return fxAccounts.device.recentDeviceList.map(({ id }) => id);
}

/**
 * What Firefox shows of other devices: their records, with `tabs: [{title, urlHistory, lastUsed:
 * seconds}]`.
 */
export async function listTabs() {
  return weave().engineManager.get('tabs').getAllClients();
}

function weave() {
  return ChromeUtils.importESModule('resource://services-sync/main.sys.mjs').Weave.Service;
}
