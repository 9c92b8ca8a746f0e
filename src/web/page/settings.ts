import { useEffect, useState } from 'preact/hooks'
import { LANGUAGES, type Language } from './texts.js'

export interface Settings {
  readonly language: Language
  readonly theme: 'light' | 'dark'
}

const KEY = 'albertkit-settings'

/** What the user chose before, else what the browser says. */
export function readSettings(): Settings {
  const own: Settings = {
    language: navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en',
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
  }
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>
    return {
      language: kept.language !== undefined && kept.language in LANGUAGES ? kept.language : own.language,
      theme: kept.theme === 'light' || kept.theme === 'dark' ? kept.theme : own.theme,
    }
  } catch {
    return own
  }
}

/** Settings, kept by the browser once they are changed, and shown in the document. */
export function useSettings(first: Settings): readonly [Settings, (part: Partial<Settings>) => void] {
  const [settings, setSettings] = useState(first)
  useEffect(() => {
    document.documentElement.lang = settings.language === 'zh' ? 'zh-CN' : 'en'
    document.documentElement.dataset.theme = settings.theme
  }, [settings])
  const change = (part: Partial<Settings>): void => {
    const next = { ...settings, ...part }
    setSettings(next)
    try {
      localStorage.setItem(KEY, JSON.stringify(next))
    } catch {
      // Without storage they hold for this visit.
    }
  }
  return [settings, change]
}
