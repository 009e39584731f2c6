import type { ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { endlessCases } from '../../api/queries.js';
import { Choice } from '../../parts/choice.js';
import { DownloadCsv } from '../../parts/download-csv.js';
import { Endless } from '../../parts/endless.js';
import { Filters } from '../../parts/filters.js';
import { Page } from '../../parts/section.js';
import { CASE_FILTERS } from '../../search-params.js';
import { text } from '../../text/text.js';
import { CaseRows } from './case-rows.js';

const route = getRouteApi('/cases');

export function CasesPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(endlessCases(filters));
  return (
    <Page title={text.nav.cases}>
      <Filters>
        <Choice
          label={text.cases.stateLabel}
          value={filters.state}
          values={CASE_FILTERS.state}
          words={text.cases.state}
          onChange={(state) => void navigate({ search: (before) => ({ ...before, state }), replace: true })}
        />
        <Choice
          label={text.cases.kindLabel}
          value={filters.kind}
          values={CASE_FILTERS.kind}
          words={text.cases.kind}
          onChange={(kind) => void navigate({ search: (before) => ({ ...before, kind }), replace: true })}
        />
        <DownloadCsv path="/v1/cases.csv" filters={filters} />
      </Filters>
      <Endless query={query} none={text.cases.none}>
        {(cases) => <CaseRows cases={cases} />}
      </Endless>
    </Page>
  );
}
