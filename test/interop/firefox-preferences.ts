// The preferences of a Firefox under test: it talks to loopback only, does nothing by itself, and
// syncs the collections that the tests are about. A proxy that nobody runs takes whatever would
// leave the machine.

export interface PreferenceOptions {
  /** Addresses and the storage of extensions are synced too. */
  readonly allCollections?: boolean;
}

type Preference = string | number | boolean;

const NOBODY_PORT = 9;
const NOWHERE = `http://127.0.0.1:${NOBODY_PORT}/`;

const LOOPBACK_ONLY: Readonly<Record<string, Preference>> = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': NOBODY_PORT,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': NOBODY_PORT,
  'network.proxy.no_proxies_on': '127.0.0.1',
  'network.dns.disabled': true,
  'network.dns.native_https_query': false,
  'network.trr.mode': 5,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'dom.push.connection.enabled': false,
  'services.settings.server': 'data:,#none',
  'identity.fxaccounts.auth.uri': NOWHERE,
  'identity.fxaccounts.remote.root': NOWHERE,
  'identity.fxaccounts.remote.oauth.uri': NOWHERE,
  'identity.fxaccounts.remote.profile.uri': NOWHERE,
  'identity.fxaccounts.commands.enabled': false,
};

const QUIET: Readonly<Record<string, Preference>> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'signon.management.page.breach-alerts.enabled': false,
  'toolkit.telemetry.server': NOWHERE,
};

/** Kinds of data that Firefox keeps to itself unless it is told otherwise. */
const ALL_COLLECTIONS: Readonly<Record<string, Preference>> = {
  'services.sync.engine.addresses.available': true,
  'services.sync.engine.addresses': true,
  'services.sync.engine.extension-storage.force': true,
};

const SYNC: Readonly<Record<string, Preference>> = {
  'services.sync.engine.addons': false,
  'services.sync.engine.prefs': false,
  // Firefox must not start a sync when it is told of a sign-in: the tests do.
  'services.sync.testing.tps': true,
  // Old visits stay however full the profile is.
  'places.history.expiration.interval_seconds': 86_400,
};

/** The text of a profile's `user.js`. Port 0: Firefox chooses one, and writes it down. */
export function preferencesFile({ allCollections }: PreferenceOptions): string {
  const more = allCollections === true ? ALL_COLLECTIONS : {};
  const all = { ...LOOPBACK_ONLY, ...QUIET, ...SYNC, ...more, 'marionette.port': 0 };
  return Object.entries(all)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}
