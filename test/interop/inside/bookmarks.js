// Runs inside Firefox: what a user does to bookmarks, and the tree that Firefox then shows. The
// roots have the names that they have on the server.

const TYPES = { 1: 'bookmark', 2: 'folder', 3: 'separator' };

/**
 * `children`: {guid, type (a number of nsINavBookmarksService), title, url, keyword, tags,
 * children}.
 */
export async function addTree(root, children) {
  await places().bookmarks.insertTree({ guid: guidOf(root), children });
}

/** Moves it to a place among the children of a folder. */
export async function moveItem(guid, folder, index) {
  await places().bookmarks.update({ guid, parentGuid: guidOf(folder), index });
}

export async function renameItem(guid, title) {
  await places().bookmarks.update({ guid, title });
}

/** A folder with all that is in it. */
export async function removeItem(guid) {
  await places().bookmarks.remove(guid);
}

/** {guid, type, title, url, keyword, tags, children} of a root's children. */
export async function listTree(root) {
  const { children = [] } = await places().promiseBookmarksTree(guidOf(root));
  return children.map(toItem);
}

function toItem({ guid, typeCode, title = '', uri = '', keyword = '', tags, children }) {
  const type = uri.startsWith('place:') ? 'query' : TYPES[typeCode];
  const item = { guid, type, title, url: uri, keyword, tags: tags ? tags.split(',').sort() : [] };
  return { ...item, children: (children ?? []).map(toItem) };
}

function guidOf(root) {
  return places().bookmarks[`${root}Guid`] ?? root;
}

function places() {
  return ChromeUtils.importESModule('resource://gre/modules/PlacesUtils.sys.mjs').PlacesUtils;
}
