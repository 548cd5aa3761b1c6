// The switches that every page has: language, and light or dark.
import { createContext, use } from 'react'
import { MoonOutlined, SunOutlined, TranslationOutlined } from '@ant-design/icons'
import { useWords, type Language } from '../words'
import { useShade } from './theme'

export const LanguageContext = createContext<(language: Language) => void>(() => undefined)

export function Switches() {
  const choose = use(LanguageContext)
  const { language, t } = useWords()
  const { shade, toggle } = useShade()
  return (
    <>
      <button className="bar-button" lang={language === 'en' ? 'zh-CN' : 'en'} onClick={() => choose(language === 'en' ? 'zh' : 'en')}>
        <TranslationOutlined aria-hidden />
        {language === 'en' ? '中文' : 'English'}
      </button>
      <button className="bar-button" onClick={toggle} aria-label={shade === 'dark' ? t('shell.light') : t('shell.dark')}>
        {shade === 'dark' ? <SunOutlined aria-hidden /> : <MoonOutlined aria-hidden />}
      </button>
    </>
  )
}

export const Mark = () => (
  <svg viewBox="0 0 32 32" aria-hidden>
    <rect width="32" height="32" rx="7" fill="#0b6e5b" />
    <path d="M4.500 9.500c4 1.200 7.500 1.700 11.500 1.700s7.500-.5 11.500-1.700M8 14.800h16M9.800 11v14.500M22.200 11v14.500M14 11v3.800M18 11v3.800" fill="none" stroke="#fff" strokeWidth="2.200" strokeLinecap="round" />
  </svg>
)
