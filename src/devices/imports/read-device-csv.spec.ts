import { describe, expect, it } from 'vitest';
import { planImport, type KnownDevice, type KnownThings } from './plan-import.js';
import { readDeviceCsv } from './read-device-csv.js';

const HEADER = 'asset_tag,serial,model,site\n';
const read = (text: string) => readDeviceCsv(Buffer.from(text));

describe('a file of devices', () => {
  it('is read as spreadsheets write it: marks, encodings, separators, quotes, blank lines', () => {
    const wanted = [{ asset_tag: 'QM-1', serial: 'SN-ä', model: 'Laptop 14, grey' }];
    const rows = ['Asset Tag;SERIAL; model', 'QM-1; SN-ä ;"Laptop 14, grey"', ';;', ''].join('\r\n');
    const bigEndian = Buffer.from(`\uFEFF${rows}`, 'utf16le').swap16();
    for (const content of [
      Buffer.from(rows),
      Buffer.from(`\uFEFF${rows}`),
      Buffer.from(`\uFEFF${rows}`, 'utf16le'),
      bigEndian,
      Buffer.from(rows.replaceAll(';', '\t')),
    ]) {
      expect(readDeviceCsv(content).map(({ cells }) => cells)).toEqual(wanted);
    }
  });

  it('tells the lines of the file, also behind a cell with line breaks', () => {
    const lines = read(`${HEADER}QM-1,SN-1,"Laptop\n14",\nQM-2,SN-2,Laptop,Berlin,more\n`);
    expect(lines.map(({ line, isAskew }) => [line, isAskew])).toEqual([
      [3, false],
      [4, true],
    ]);
  });

  it.each([
    ['', 'is empty'],
    [HEADER, 'nothing below'],
    ['asset_tag,serial,model,colour\nx,y,z,red', '“colour” isn’t known'],
    ['asset_tag,serial,model,serial\nx,y,z,w', '“serial” is there twice'],
    ['asset_tag,model\nx,y', 'serial is missing'],
    [`${HEADER}QM-1,"SN-1,Laptop,`, 'a quote isn’t closed'],
    [HEADER + 'a,b,c,d\n'.repeat(2_001), '2000 devices at most'],
  ])('is refused as a whole in words: %j', (text, words) => {
    expect(() => read(text)).toThrow(words);
  });

  it('that is in some other encoding is refused, and not guessed at', () => {
    expect(() => readDeviceCsv(Buffer.from(`${HEADER}QM-1,SN-\xe4,Laptop,`, 'latin1'))).toThrow('neither UTF-8');
  });
});

const DEVICE: KnownDevice = {
  id: 'd1',
  serial: 'SN-1',
  assetTag: 'QM-1',
  version: 4,
  modelId: 'm1',
  siteId: 's1',
  state: 'assigned',
  purchasedOn: '2026-01-31',
  warrantyUntil: null,
};
const KNOWN: KnownThings = {
  bySerial: new Map([['SN-1', DEVICE]]),
  byTag: new Map([['QM-1', DEVICE]]),
  models: new Map([['Laptop', 'm1']]),
  sites: new Map([
    ['Berlin', 's1'],
    ['Paris', 's2'],
  ]),
};

describe('a line of it', () => {
  const plan = (columns: string, ...rows: string[]) =>
    planImport(read(`asset_tag,serial,model${columns}\n${rows.join('\n')}`), KNOWN);

  it('makes, changes, or leaves a device as it is, by its serial number; an empty cell changes nothing', () => {
    const lines = plan(
      ',site,purchased_on,state',
      'QM-2,SN-2,Laptop,Paris,2026-11-23,ordered',
      'QM-1,SN-1,Laptop,,,',
      'QM-1b,SN-1x,Laptop,,,',
    );
    expect(lines.map(({ outcome, deviceId }) => [outcome, deviceId])).toEqual([
      ['create', null],
      ['unchanged', 'd1'],
      ['create', null],
    ]);
    expect(lines[0]?.change).toEqual({
      assetTag: 'QM-2',
      modelId: 'm1',
      siteId: 's2',
      state: 'ordered',
      purchasedOn: '2026-11-23',
    });
    const [moved] = plan(',site,state', 'QM-9,SN-1,Laptop,Paris,assigned');
    expect(moved).toMatchObject({ outcome: 'change', version: 4, change: { assetTag: 'QM-9', siteId: 's2' } });
  });

  it.each([
    ['', 'QM-2,,Laptop', 'serial', 'Every device has one'],
    ['', 'QM-1,SN-2,Laptop', 'asset_tag', 'serial number SN-1 has it'],
    ['', 'QM-2,SN-2,Tablet', 'model', '“Tablet”'],
    [',site', 'QM-2,SN-2,Laptop,Rome', 'site', '“Rome”'],
    [',purchased_on', 'QM-2,SN-2,Laptop,31.12.2026', 'purchased_on', '2026-11-23'],
    [',purchased_on', 'QM-2,SN-2,Laptop,2026-02-30', 'purchased_on', '2026-11-23'],
    [',warranty_until', 'QM-2,SN-2,Laptop,0001-01-01', 'warranty_until', '2026-11-23'],
    [',state', 'QM-2,SN-2,Laptop,lost', 'state', 'ordered or in_stock'],
    [',state', 'QM-1,SN-1,Laptop,in_stock', 'state', 'is assigned'],
    ['', "=cmd|'/c calc'!A0,SN-2,Laptop", 'asset_tag', 'formula'],
    ['', 'QM-2,@SUM(1),Laptop', 'serial', 'formula'],
    ['', `QM-2,${'x'.repeat(201)},Laptop`, 'serial', '200 characters'],
    ['', 'QM-2,SN-2,Laptop,more', null, 'more or fewer cells'],
  ])('says which column is wrong and what to do: %s %s', (columns, row, column, words) => {
    expect(plan(columns, row)).toMatchObject([
      { line: 2, outcome: 'error', problems: [{ column, detail: expect.stringContaining(words) }] },
    ]);
  });

  it('names the lines with the same serial number or asset tag', () => {
    const lines = plan('', 'QM-2,SN-2,Laptop', 'QM-3,SN-2,Laptop', 'QM-3,SN-3,Laptop');
    expect(lines.map(({ problems }) => problems.map(({ column, detail }) => `${column}: ${detail}`))).toEqual([
      ['serial: It stands in line 3 as well. Keep one of them.'],
      [
        'serial: It stands in line 2 as well. Keep one of them.',
        'asset_tag: It stands in line 4 as well. Keep one of them.',
      ],
      ['asset_tag: It stands in line 3 as well. Keep one of them.'],
    ]);
  });

  it('names twenty of many lines with the same one, and how many more there are', () => {
    const lines = plan('', ...Array.from({ length: 100 }, () => 'QM-2,SN-2,Laptop'));
    const named = Array.from({ length: 20 }, (_, index) => index + 3).join(', ');
    expect(lines[0]?.problems[0]?.detail).toBe(`It stands in line ${named} and 79 more as well. Keep one of them.`);
  });
});
