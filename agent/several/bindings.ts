// Which remotes a device has by its configuration, and which collection is whose. Pure. The device
// is trusted: what it says wrongly is an Error at its boot, and nothing is guessed.

import { type AgentConfig, FIRST_REMOTE } from '../config.ts';

/** A remote, configured as if it were the only one. */
interface Binding {
  readonly name: string;
  readonly config: AgentConfig;
  /** Names of the collections that are its own. */
  readonly collections: readonly string[];
}

const NAME = /^[a-z0-9-]{1,16}$/;

/**
 * The remotes of a device, its first one first; `names`: the collections of the build. Throws an
 * Error that names what is wrong: a name, or a collection that is switched on twice.
 */
export function bindingsOf(config: AgentConfig, names: readonly string[]): readonly Binding[] {
  const configs = configsOf(config);
  const owners = new Map(names.map((name) => [name, ownerOf(configs, name)]));
  return [...configs].map(([name, one]) => ({
    name,
    config: one,
    collections: names.filter((collection) => owners.get(collection) === name),
  }));
}

function configsOf(config: AgentConfig): ReadonlyMap<string, AgentConfig> {
  const { remotes = {}, ...first } = config;
  const { device: _, signIn: __, ...shared } = first;
  const configs = new Map([[FIRST_REMOTE, first as AgentConfig]]);
  for (const [name, named] of Object.entries(remotes)) {
    if (!NAME.test(name)) throw new Error(`remotes: ${name} is not 1 to 16 of a-z, 0-9 and -`);
    if (name === FIRST_REMOTE) throw new Error(`remotes: ${name} is the device's own`);
    configs.set(name, { ...shared, ...named });
  }
  return configs;
}

/** Whoever has it switched on, else who names it, else the first. */
function ownerOf(configs: ReadonlyMap<string, AgentConfig>, collection: string): string {
  const named = [...configs].flatMap(([name, { collections }]) => {
    const settings = new Map(Object.entries(collections)).get(collection);
    return settings === undefined ? [] : [{ name, isOn: settings.enabled }];
  });
  const on = named.filter(({ isOn }) => isOn).map(({ name }) => name);
  if (on.length > 1) {
    throw new Error(`collections: ${collection} is switched on in ${on.join(' and ')}`);
  }
  // The first remote says of all collections of a device whether it wants them.
  return on[0] ?? named.find(({ name }) => name !== FIRST_REMOTE)?.name ?? FIRST_REMOTE;
}
