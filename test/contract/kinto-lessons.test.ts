// What people suffered from with kinto.js, on the emulated Kinto.

import { kintoService } from '../support/kinto-service.ts';
import { kintoLessons } from './kinto-lessons.ts';

kintoLessons('the emulated Kinto', kintoService, 5);
