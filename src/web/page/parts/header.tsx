import { useSession } from '../session.js'
import type { Settings } from '../settings.js'

interface HeaderProps {
  readonly title: string
  readonly settings: Settings
  readonly change: (part: Partial<Settings>) => void
}

/** Title of a page, and switches of its language and its colours. */
export function Header({ title, settings, change }: HeaderProps) {
  const { t } = useSession()
  const isDark = settings.theme === 'dark'
  return (
    <header class="top">
      <h1>
        <img src="icon.svg" alt="" width="28" height="28" /> {title}
      </h1>
      <div class="row">
        <button
          type="button"
          class="quiet"
          lang={settings.language === 'en' ? 'zh' : 'en'}
          onClick={() => {
            change({ language: settings.language === 'en' ? 'zh' : 'en' })
          }}
        >
          {t('language')}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            change({ theme: isDark ? 'light' : 'dark' })
          }}
        >
          {t(isDark ? 'light' : 'dark')}
        </button>
      </div>
    </header>
  )
}
