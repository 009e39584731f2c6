import { describe, expect, it } from 'vitest';
import { csvLine } from './csv-line.js';

describe('a line of a CSV file', () => {
  it.each([
    [['one', 2, null, ''], 'one,2,,'],
    [['with, a comma', 'with "quotes"', 'two\nlines'], '"with, a comma","with ""quotes""","two\nlines"'],
    [[-5, 1.5], '-5,1.5'],
    [['=1+1', '+49 30 1', '-1', '@SUM(A1)', '\t=1', '\r=1'], "'=1+1,'+49 30 1,'-1,'@SUM(A1),'\t=1,\"'\r=1\""],
    [['=HYPERLINK("http://x.example","click")'], `"'=HYPERLINK(""http://x.example"",""click"")"`],
    [['a=1', "it's", 'a-b'], "a=1,it's,a-b"],
  ])('%j is %s: text stays text', (cells, line) => {
    expect(csvLine(cells)).toBe(line);
  });
});
