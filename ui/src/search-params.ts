/** What a page's address may hold: by name, the values that are allowed, or any text. */
type Allowed = Readonly<Record<string, readonly string[] | 'text'>>;

type Read<T extends Allowed> = { [Name in keyof T]?: T[Name] extends readonly (infer One)[] ? One : string };

const LONGEST = 200;

/** Keeps of an address what the page knows; anything else is dropped rather than sent on. */
export function readSearch<const T extends Allowed>(allowed: T, search: Record<string, unknown>): Read<T> {
  const kept: Record<string, string> = {};
  for (const [name, values] of Object.entries(allowed)) {
    // A router reads `?q=42` as a number.
    const value = typeof search[name] === 'number' ? String(search[name]) : search[name];
    if (typeof value !== 'string' || value === '') continue;
    if (values === 'text' ? value.length <= LONGEST : values.includes(value)) kept[name] = value;
  }
  return kept as Read<T>;
}

export const PEOPLE_FILTERS = { search: 'text', status: ['expected', 'active', 'left'], department: 'text' } as const;

export const CASE_FILTERS = {
  state: ['open', 'closed'],
  kind: ['joiner', 'mover', 'leaver', 'rehire', 'lost_device', 'credential_reset', 'restoration'],
} as const;

export const DUTY_FILTERS = { toolId: 'text' } as const;

export const DEVICE_FILTERS = {
  search: 'text',
  state: ['ordered', 'in_stock', 'reserved', 'assigned', 'in_repair', 'lost', 'stolen', 'found', 'retired', 'disposed'],
  only: ['spare', 'pastLifetime'],
  encryption: ['encrypted', 'converting', 'suspended', 'not_encrypted', 'unknown'],
  encryptionSeen: ['day', 'week', 'month', 'older', 'never'],
  modelId: 'text',
  siteId: 'text',
} as const;

/** Of one device: an instant, to see what was known of its disk then. */
export const DEVICE_SEARCH = { at: 'text' } as const;

export const RETURN_FILTERS = {
  state: ['asked', 'sent', 'received', 'inspected', 'written_off'],
  only: ['outstanding', 'overdue'],
} as const;

export const MODEL_FILTERS = { only: ['short'], siteId: 'text' } as const;

export const IMAGE_FILTERS = { channel: ['draft', 'current', 'deprecated', 'withdrawn'] } as const;

export const IMPORT_SEARCH = { import: 'text', outcome: ['create', 'change', 'unchanged', 'error'] } as const;

export const HR_FILTERS = {
  outcome: ['applied', 'duplicate', 'outdated', 'scheduled', 'held', 'unreadable'],
} as const;

export const LOSS_SEARCH = { q: 'text', report: 'text', device: 'text', case: 'text' } as const;

export const AUDIT_FILTERS = { caseId: 'text', subjectId: 'text' } as const;
