// Lets Firefox write an account file: node --import tsx test/interop/record.ts --pages 60 --logins
// 12 --seed 1 --out FILE [--delete-all] [--own-keys history,passwords]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { recordCorpus } from './corpus.ts';

const { values } = parseArgs({
  options: {
    pages: { type: 'string', default: '60' },
    logins: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
    'delete-all': { type: 'boolean', default: false },
    'own-keys': { type: 'string', default: '' },
    out: { type: 'string', default: 'corpus.json' },
  },
});

const corpus = await recordCorpus({
  pages: Number(values.pages),
  logins: Number(values.logins),
  seed: Number(values.seed),
  deleted: values['delete-all'] ? 'all' : 'some',
  ownKeys: values['own-keys'].split(',').filter((name) => name !== ''),
});
writeFileSync(values.out, `${JSON.stringify(corpus, null, 1)}\n`);
