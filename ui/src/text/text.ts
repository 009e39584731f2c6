import { en } from './en.js';

/** The one catalogue of what people read; another language is another file of this shape. */
export type Catalogue = typeof en;

export const text: Catalogue = en;
