import { useEffect, useRef, type ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { endlessPeople } from '../../api/queries.js';
import type { Person } from '../../api/types.js';
import { ChooseRow } from '../../bulk/choose-row.js';
import { SelectionBar } from '../../bulk/selection-bar.js';
import { useSelection } from '../../bulk/use-selection.js';
import { Choice } from '../../parts/choice.js';
import { DownloadCsv } from '../../parts/download-csv.js';
import { Filters, TypedFilter } from '../../parts/filters.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { PEOPLE_FILTERS } from '../../search-params.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { BulkActs } from './bulk-acts.js';
import { statusLooks } from './status-looks.js';

const route = getRouteApi('/people');

export function PeoplePage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const keep = (name: 'search' | 'status' | 'department', value: string | undefined): void =>
    void navigate({ search: (before) => ({ ...before, [name]: value }), replace: true });
  const query = useInfiniteQuery(endlessPeople(filters));
  return (
    <Page title={text.nav.people}>
      <Filters>
        <TypedFilter label={text.people.search} value={filters.search} onChange={(search) => keep('search', search)} />
        <Choice
          label={text.people.statusLabel}
          value={filters.status}
          values={PEOPLE_FILTERS.status}
          words={text.people.status}
          onChange={(status) => keep('status', status)}
        />
        <TypedFilter
          label={text.people.department}
          value={filters.department}
          onChange={(department) => keep('department', department)}
        />
        <DownloadCsv path="/v1/people.csv" filters={filters} />
      </Filters>
      <Loaded query={query} lines={8}>
        {({ pages }) => (
          <EndlessPeople
            people={pages.flatMap(({ items }) => items)}
            hasMore={query.hasNextPage}
            isFetching={query.isFetchingNextPage}
            onMore={query.fetchNextPage}
          />
        )}
      </Loaded>
    </Page>
  );
}

const ROW_HEIGHT = 44;
/** Rows before the end at which more are fetched. */
const AHEAD = 40;

interface ListProps {
  people: readonly Person[];
  hasMore: boolean;
  isFetching: boolean;
  onMore: () => unknown;
}

/** However many there are, only the rows that can be seen are in the page. */
function EndlessPeople({ people, hasMore, isFetching, onMore }: ListProps): ReactNode {
  const may = useMay();
  const selection = useSelection(people);
  const mayAct = may('cases:write') || may('credentials:reset');
  const list = useRef<HTMLUListElement>(null);
  const rows = useWindowVirtualizer({
    count: people.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: list.current?.offsetTop ?? 0,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const wantsMore = hasMore && !isFetching && last > people.length - AHEAD;
  useEffect(() => {
    if (wantsMore) onMore();
  }, [wantsMore, onMore]);
  if (people.length === 0) return <Empty>{text.people.none}</Empty>;
  return (
    <>
      {mayAct && (
        <SelectionBar selection={selection} count={people.length}>
          <BulkActs selection={selection} />
        </SelectionBar>
      )}
      <ul className="endless" ref={list} style={{ height: rows.getTotalSize() }} aria-label={text.nav.people}>
        {shown.map(({ index, key, start }) => {
          const person = people[index];
          if (!person) return null;
          const { id, displayName, corporateEmail, status } = person;
          return (
            <li
              key={key}
              className="endless-row"
              style={{ transform: `translateY(${start - rows.options.scrollMargin}px)` }}
              aria-setsize={hasMore ? -1 : people.length}
              aria-posinset={index + 1}
            >
              {mayAct && <ChooseRow id={id} name={displayName} selection={selection} />}
              <Link to="/people/$personId" params={{ personId: id }} className="row-link" data-row>
                <span className="row-name">{displayName}</span>
                <span className="row-detail">{corporateEmail}</span>
                <Mark {...statusLooks(status)} />
              </Link>
            </li>
          );
        })}
      </ul>
      <p className="small dim" role="status">
        {text.people.count(people.length, hasMore)}
      </p>
    </>
  );
}
