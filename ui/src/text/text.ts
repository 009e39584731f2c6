import { en } from './en.js';

/** The one catalogue of what people read; another language is another file of this shape. */
export type Catalogue = typeof en;

export const text: Catalogue = en;

/** The catalogue's word for one of the server's; that one itself where this page is older than the server. */
export function wordFor(words: Readonly<Record<string, string>>, value: string): string {
  return words[value] ?? value.replaceAll(/[_-]/g, ' ');
}
