// Runs inside Firefox: signs it in to a Sync server on loopback, and syncs it when it is told to.
// Only what would talk to Mozilla's accounts service is replaced: it lists the devices that it is
// told of. The token server, Hawk, keys and engines are used by Firefox's own code.

const SYNC_SCOPE = 'https://identity.mozilla.com/apps/oldsync';
const SYNC_MS_MAX = 120_000;

/**
 * `user`: {uid, email, accessToken, scopedKey: {kid, k}}. `ownKeys`: collections that get keys of
 * their own.
 */
export async function signIn({ tokenServerUrl, user, ownKeys }) {
  Services.prefs.setStringPref('identity.sync.tokenserver.uri', tokenServerUrl);
  const { Weave } = sync();
  await Weave.Service.promiseInitialized;
  Weave.Service.scheduler.syncIfMPUnlocked = () => {};
  giveOwnKeys(Weave.Service.collectionKeys, ownKeys);
  const accounts = replaceAccountsService(user);
  const { uid, email, scopedKey } = user;
  const key = { kty: 'oct', scope: SYNC_SCOPE, ...scopedKey };
  await accounts.setSignedInUser({
    uid,
    email,
    verified: true,
    sessionToken: 'a'.repeat(64),
    scopedKeys: { [SYNC_SCOPE]: key },
  });
  await Weave.Service.configure();
  await Weave.Service.identity.asyncObserver.promiseObserversComplete();
}

/**
 * One sync of all collections. `devices`: those of the account, as the accounts server lists them
 * to others. Resolves to the reasons why it failed: none, if it did not.
 */
export async function syncNow(devices) {
  const { Weave } = sync();
  const accounts = accountsOf();
  accounts._internal._fxAccountsClient.others = devices;
  await accounts.device.refreshDeviceList({ ignoreCached: true });
  for (const engine of Weave.Service.engineManager.getAll()) {
    await engine._tracker?.asyncObserver?.promiseObserversComplete();
  }
  const how = await outcomeOf(() => Weave.Service.sync({ why: 'user' }));
  const { login, service, engines } = Weave.Status;
  const failed = Object.entries(engines).filter(([, status]) => !status.startsWith('success'));
  if (how === 'finish' && failed.length === 0) return [];
  return [how, login, service, ...failed.map((pair) => pair.join(': '))];
}

/** History and forms have one switch. */
export async function switchEngine(name, on) {
  Services.prefs.setBoolPref(`services.sync.engine.${name}`, on);
}

function accountsOf() {
  const path = 'resource://gre/modules/FxAccounts.sys.mjs';
  return ChromeUtils.importESModule(path).getFxAccountsSingleton();
}

function sync() {
  return ChromeUtils.importESModule('resource://services-sync/main.sys.mjs');
}

/** How the sync ended that `start` begins: finish or error. */
async function outcomeOf(start) {
  const topics = ['sync:finish', 'sync:error', 'login:error'].map((end) => `weave:service:${end}`);
  let observer;
  const ended = new Promise((resolve) => {
    observer = { observe: (_subject, topic) => resolve(topic.split(':').pop()) };
    for (const topic of topics) Services.obs.addObserver(observer, topic);
    setTimeout(() => resolve('timeout'), SYNC_MS_MAX);
  });
  await start();
  const how = await ended;
  for (const topic of topics) Services.obs.removeObserver(observer, topic);
  return how;
}

function replaceAccountsService({ uid, email, accessToken }) {
  const accounts = accountsOf()._internal;
  const devices = [];
  accounts._fxAccountsClient = {
    now: () => Date.now(),
    localtimeOffsetMsec: 0,
    accessTokenWithSessionToken: async () => ({ access_token: accessToken, expires_in: 86_400 }),
    oauthDestroy: async () => ({}),
    async registerDevice(_session, name, type) {
      devices.push({
        id: 'd'.repeat(32),
        name,
        type,
        isCurrentDevice: true,
        availableCommands: {},
      });
      return devices[0];
    },
    updateDevice: async (_session, id, name) => ({ id, name }),
    others: [],
    async getDeviceList() {
      return [...devices, ...this.others];
    },
    notifyDevices: async () => ({}),
    getCommands: async () => ({ index: 0, last: true, messages: [] }),
    attachedClients: async () => ({ body: [], headers: {} }),
    sessionStatus: async () => true,
    accountStatus: async () => true,
  };
  const profile = { uid, email, displayName: null, avatar: null, avatarDefault: true };
  accounts._profile = {
    getProfile: async () => profile,
    ensureProfile: async () => profile,
    invalidate() {},
    tearDown() {},
  };
  const push = {
    initialize() {},
    registerPushEndpoint: async () => null,
    getSubscription: async () => null,
    unsubscribe: async () => {},
  };
  Object.defineProperty(accounts, 'fxaPushService', { value: push });
  return accounts;
}

/**
 * The keys that a first sync makes are for these collections too, and not one default pair for all.
 */
function giveOwnKeys(collectionKeys, collections) {
  const generate = collectionKeys.generateNewKeysWBO;
  collectionKeys.generateNewKeysWBO = () => generate.call(collectionKeys, collections);
}
