// `npm run docs`: writes the pages that come from the code.

import { writeFileSync } from 'node:fs';
import { errorsPage } from './errors.ts';
import { ROOT } from './markdown.ts';

writeFileSync(`${ROOT}/docs/errors.md`, errorsPage());
