// Runs inside Firefox: what a user does to history and logins, and what Firefox then holds, read
// from its own databases and not through its sync code. Dates are in microseconds, as Firefox keeps
// those of visits.

/** `pages`: {url, title, visits: [{date, type}]}. Resolves to the URLs that Firefox refused. */
export async function addPages(pages) {
  const refused = [];
  const infos = pages.map(({ url, title, visits }) => ({
    uri: Services.io.newURI(url),
    title,
    visits: visits.map(({ date, type }) => ({ visitDate: date, transitionType: type })),
  }));
  if (infos.length === 0) return refused;
  const history = Cc['@mozilla.org/browser/history;1'].getService(Ci.mozIAsyncHistory);
  return new Promise((resolve) => {
    history.updatePlaces(infos, {
      handleResult() {},
      handleError: (_code, info) => refused.push(info.uri.spec),
      handleCompletion: () => resolve(refused),
    });
  });
}

export async function removePages(urls) {
  if (urls.length > 0) await places().history.remove(urls);
}

export async function addBookmark(url) {
  const { bookmarks } = places();
  await bookmarks.insert({ parentGuid: bookmarks.unfiledGuid, url });
}

/** Pages with at least one visit; newest visits first. */
export async function listPages() {
  const database = await places().promiseDBConnection();
  const rows = await database.execute(
    `SELECT p.guid, p.url, p.title, v.visit_date AS date, v.visit_type AS type
     FROM moz_places p JOIN moz_historyvisits v ON v.place_id = p.id
     ORDER BY p.guid, v.visit_date DESC, v.visit_type`,
  );
  const pages = new Map();
  for (const row of rows) {
    const [guid, url, title, date, type] = ['guid', 'url', 'title', 'date', 'type'].map((name) =>
      row.getResultByName(name),
    );
    if (!pages.has(guid)) pages.set(guid, { guid, url, title, visits: [] });
    pages.get(guid).visits.push({ date, type });
  }
  return [...pages.values()];
}

/** Resolves to their guids. */
export async function addLogins(logins) {
  const guids = [];
  for (const login of logins) {
    const info = Cc['@mozilla.org/login-manager/loginInfo;1'].createInstance(Ci.nsILoginInfo);
    const { origin, formActionOrigin = null, httpRealm = null, username, password } = login;
    const { usernameField = '', passwordField = '' } = login;
    info.init(
      origin,
      formActionOrigin,
      httpRealm,
      username,
      password,
      usernameField,
      passwordField,
    );
    const added = await Services.logins.addLoginAsync(info);
    guids.push(added.QueryInterface(Ci.nsILoginMetaInfo).guid);
  }
  return guids;
}

/** `changes`: members of nsILoginInfo. */
export async function changeLogin(guid, changes) {
  const [login] = (await storedLogins()).filter((candidate) => candidate.guid === guid);
  const changed = Object.assign(login.clone(), changes);
  await Services.logins.modifyLoginAsync(login, changed);
}

export async function removeLogins(guids) {
  for (const login of await storedLogins()) {
    if (guids.includes(login.guid)) await Services.logins.removeLoginAsync(login);
  }
}

export async function listLogins() {
  const members = ['guid', 'origin', 'formActionOrigin', 'httpRealm', 'username', 'password'];
  members.push('usernameField', 'passwordField', 'timeCreated', 'timePasswordChanged');
  const logins = await storedLogins();
  return logins.map((login) => Object.fromEntries(members.map((name) => [name, login[name]])));
}

/** All but the one in which Firefox keeps its own account. */
async function storedLogins() {
  const logins = await Services.logins.getAllLogins();
  return logins
    .map((login) => login.QueryInterface(Ci.nsILoginMetaInfo))
    .filter(({ origin }) => !origin.startsWith('chrome:'));
}

function places() {
  return ChromeUtils.importESModule('resource://gre/modules/PlacesUtils.sys.mjs').PlacesUtils;
}
