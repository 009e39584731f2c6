import { describe, expect, it } from 'vitest';
import { PEOPLE_FILTERS, readSearch } from './search-params.js';

describe('the filters in an address', () => {
  it('are read as the page knows them', () => {
    expect(readSearch(PEOPLE_FILTERS, { search: 'ada', status: 'active' })).toEqual({
      search: 'ada',
      status: 'active',
    });
    expect(readSearch(PEOPLE_FILTERS, { search: 42 })).toEqual({ search: '42' });
  });

  it('are dropped when the page doesn’t know them, so that an address never leads to an error', () => {
    const wild = { status: 'fired', search: 'a'.repeat(201), cursor: 'x', department: '' };
    expect(readSearch(PEOPLE_FILTERS, wild)).toEqual({});
  });
});
