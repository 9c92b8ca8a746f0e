import type { FunctionComponent } from 'preact'
import { useSession, type Model } from '../session.js'
import { TabList } from './tab-list.js'
import { Convert } from '../views/convert.js'
import { Diff } from '../views/diff.js'
import { Overview } from '../views/overview.js'
import { Params } from '../views/params.js'
import { Tokens } from '../views/tokens.js'
import { Weights } from '../views/weights.js'

const VIEWS = {
  overview: Overview,
  params: Params,
  weights: Weights,
  diff: Diff,
  convert: Convert,
  tokens: Tokens,
} as const satisfies Record<string, FunctionComponent<{ readonly model: Model }>>

type ViewName = keyof typeof VIEWS
const NAMES = Object.keys(VIEWS) as readonly ViewName[]

/** The views of a model. */
export function Tabs({ model }: { readonly model: Model }) {
  const { t } = useSession()
  return (
    <TabList
      label={t('views')}
      names={NAMES}
      titleOf={t}
      view={(name) => {
        const View = VIEWS[name]
        return <View model={model} />
      }}
    />
  )
}
