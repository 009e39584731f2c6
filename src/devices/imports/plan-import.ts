import type { ColumnName, CsvLine } from './read-device-csv.js';

export const LINE_OUTCOMES = ['create', 'change', 'unchanged', 'error'] as const;

export interface LineProblem {
  column: ColumnName | null;
  /** What is wrong, and what to do. */
  detail: string;
}

/** What a file says of a device, in our ids. */
export interface Wanted {
  assetTag: string;
  modelId: string;
  siteId?: string;
  state?: 'ordered' | 'in_stock';
  purchasedOn?: string;
  warrantyUntil?: string;
}

export interface PlannedLine {
  line: number;
  outcome: (typeof LINE_OUTCOMES)[number];
  assetTag: string;
  serial: string;
  /** Of the device that there is, and which version of it was looked at. */
  deviceId: string | null;
  version: number | null;
  /** What is written: of a new device everything, of another what changes. */
  change: Partial<Wanted>;
  problems: LineProblem[];
  /** As they stood in the file, to plan again when it is applied. */
  cells: CsvLine['cells'];
}

/** A device that a line may be about. */
export interface KnownDevice {
  id: string;
  serial: string;
  assetTag: string;
  version: number;
  modelId: string;
  siteId: string | null;
  state: string;
  purchasedOn: string | null;
  warrantyUntil: string | null;
}

/** All that the lines of a file are held against. */
export interface KnownThings {
  bySerial: ReadonlyMap<string, KnownDevice>;
  byTag: ReadonlyMap<string, KnownDevice>;
  /** Ids by name. */
  models: ReadonlyMap<string, string>;
  sites: ReadonlyMap<string, string>;
}

const LONGEST = 200;
/** Lines with the same text, of each of which all others would be named otherwise. */
const MOST_NAMED = 20;

/** What a spreadsheet that opens our data later would run instead of showing it. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * What each line would do. A device is known by its serial number; an empty cell leaves a thing as it is. Pure: the same
 * lines against the same things make the same plan.
 */
export function planImport(
  lines: readonly Pick<CsvLine, 'line' | 'cells' | 'isAskew'>[],
  known: KnownThings,
): PlannedLine[] {
  const linesBy = (column: 'serial' | 'asset_tag'): Map<string, number[]> => {
    const found = new Map<string, number[]>();
    for (const { line, cells } of lines) {
      const value = cells[column] ?? '';
      const same = found.get(value);
      if (same) same.push(line);
      else found.set(value, [line]);
    }
    return found;
  };
  const inFile = { serial: linesBy('serial'), asset_tag: linesBy('asset_tag') };
  return lines.map((one) => planLine(one, known, inFile));
}

function planLine(
  { line, cells, isAskew }: Pick<CsvLine, 'line' | 'cells' | 'isAskew'>,
  known: KnownThings,
  inFile: Record<'serial' | 'asset_tag', ReadonlyMap<string, number[]>>,
): PlannedLine {
  const { asset_tag: assetTag = '', serial = '' } = cells;
  const device = known.bySerial.get(serial);
  const base = { line, assetTag, serial, deviceId: device?.id ?? null, version: device?.version ?? null, cells };
  if (isAskew) {
    const detail = 'It has more or fewer cells than the first line. Put a cell that holds the separator in quotes.';
    return { ...base, outcome: 'error', change: {}, problems: [{ column: null, detail }] };
  }
  const problems = [
    ...Object.entries(cells).flatMap(([column, text]) => problemOfText(column as ColumnName, text)),
    ...problemOfTwin('serial', serial, line, inFile.serial),
    ...problemOfTwin('asset_tag', assetTag, line, inFile.asset_tag),
    ...problemOfTag(assetTag, device, known),
    ...problemOfName('model', cells.model, known.models, 'POST /v1/device-models'),
    ...problemOfName('site', cells.site, known.sites, 'PUT /v1/sites/:name'),
    ...problemOfDay('purchased_on', cells.purchased_on),
    ...problemOfDay('warranty_until', cells.warranty_until),
    ...problemOfState(cells.state, device),
  ];
  if (problems.length > 0) return { ...base, outcome: 'error', change: {}, problems };
  const wanted = wantedBy(cells, known);
  const change = device ? differences(device, wanted) : wanted;
  const outcome = device ? (Object.keys(change).length > 0 ? 'change' : 'unchanged') : 'create';
  return { ...base, outcome, change, problems };
}

function wantedBy(cells: CsvLine['cells'], known: KnownThings): Wanted {
  const siteId = known.sites.get(cells.site ?? '');
  return {
    assetTag: cells.asset_tag ?? '',
    modelId: known.models.get(cells.model ?? '') ?? '',
    ...(siteId !== undefined && { siteId }),
    ...(cells.state && { state: cells.state as 'ordered' | 'in_stock' }),
    ...(cells.purchased_on && { purchasedOn: cells.purchased_on }),
    ...(cells.warranty_until && { warrantyUntil: cells.warranty_until }),
  };
}

function differences(device: KnownDevice, wanted: Wanted): Partial<Wanted> {
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => device[name as keyof Wanted] !== value),
  ) as Partial<Wanted>;
}

const NEEDED: readonly ColumnName[] = ['asset_tag', 'serial', 'model'];

function problemOfText(column: ColumnName, text: string): LineProblem[] {
  if (text === '') return NEEDED.includes(column) ? [{ column, detail: 'It is empty. Every device has one.' }] : [];
  if (FORMULA.test(text)) {
    return [{ column, detail: 'It begins like a formula of a spreadsheet. Write it without the first character.' }];
  }
  if (text.length > LONGEST) return [{ column, detail: `It has more than ${LONGEST} characters.` }];
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    return [{ column, detail: 'It has a line break or another character that can’t be seen. Remove it.' }];
  }
  return [];
}

function problemOfTwin(
  column: 'serial' | 'asset_tag',
  value: string,
  line: number,
  inFile: ReadonlyMap<string, number[]>,
): LineProblem[] {
  const others = (inFile.get(value) ?? []).filter((other) => other !== line);
  if (value === '' || others.length === 0) return [];
  const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : '';
  const named = others.slice(0, MOST_NAMED).join(', ');
  return [{ column, detail: `It stands in line ${named}${more} as well. Keep one of them.` }];
}

function problemOfTag(assetTag: string, device: KnownDevice | undefined, { byTag }: KnownThings): LineProblem[] {
  const owner = byTag.get(assetTag);
  if (!owner || owner.id === device?.id) return [];
  return [
    { column: 'asset_tag', detail: `The device with the serial number ${owner.serial} has it. Use another one.` },
  ];
}

function problemOfName(
  column: 'model' | 'site',
  name: string | undefined,
  ids: ReadonlyMap<string, string>,
  how: string,
): LineProblem[] {
  if (!name || ids.has(name)) return [];
  return [{ column, detail: `There is no ${column} “${name}”. Correct the name, or add it first (${how}).` }];
}

function problemOfDay(column: 'purchased_on' | 'warranty_until', day: string | undefined): LineProblem[] {
  if (!day) return [];
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day) && new Date(`${day}T00:00:00Z`).toString() !== 'Invalid Date';
  const isReal = isDay && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (isReal && day >= '1970-01-01' && day <= '2199-12-31') return [];
  return [{ column, detail: 'Write the day as in 2026-11-23.' }];
}

function problemOfState(state: string | undefined, device: KnownDevice | undefined): LineProblem[] {
  if (!state || state === device?.state) return [];
  const column = 'state';
  if (state !== 'ordered' && state !== 'in_stock') {
    return [{ column, detail: 'A file says ordered or in_stock. Leave it empty, and give devices out afterwards.' }];
  }
  if (!device || (device.state === 'ordered' && state === 'in_stock')) return [];
  return [
    {
      column,
      detail: `The device is ${device.state.replace('_', ' ')}. Leave it empty, and change its state by itself.`,
    },
  ];
}
