// Light and dark, and the one set of colours for both halves: antd's parts and our own CSS (`shell/look.css`).
import { createContext, use, useEffect, useState, type ReactNode } from 'react'
import { ConfigProvider, theme } from 'antd'
import { useSpeech } from '../words'
import { cspNonce } from './nonce'

type Shade = 'light' | 'dark'
const KEPT = 'paifang.theme'
const DARK = '(prefers-color-scheme: dark)'
// Said to antd as well: of an animation that CSS cuts to nothing it may miss the end, and a menu then stays invisible.
const STILL = matchMedia('(prefers-reduced-motion: reduce)').matches

const ShadeContext = createContext<{ shade: Shade; toggle: () => void }>({ shade: 'light', toggle: () => undefined })
export const useShade = () => use(ShadeContext)

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"

const SHARED = { fontFamily: FONT, borderRadius: 8, borderRadiusLG: 12, fontSize: 14, controlHeight: 36, wireframe: false, motion: !STILL }
const TOKENS = {
  light: { ...SHARED, colorPrimary: '#0b6e5b', colorPrimaryBg: '#e3f3ee', colorPrimaryBgHover: '#d3ece4', colorLink: '#0b6e5b', colorInfo: '#0b6e5b', colorSuccess: '#15803d', colorWarning: '#b45309', colorError: '#c81e3a', colorText: '#16211f', colorTextSecondary: '#51605d', colorTextTertiary: '#5d6b68', colorTextDescription: '#5d6b68', colorTextPlaceholder: '#67756f', colorTextDisabled: '#6b7774', colorBgLayout: '#f5f7f6', colorBorder: '#c9d3d0', colorBorderSecondary: '#e5ebe9' },
  dark: { ...SHARED, colorPrimary: '#34c3a1', colorPrimaryBg: '#12332b', colorPrimaryBgHover: '#184438', colorLink: '#4fd4b4', colorInfo: '#34c3a1', colorSuccess: '#4ade80', colorWarning: '#fbbf24', colorError: '#ff7b8e', colorText: '#e8efed', colorTextSecondary: '#aebbb8', colorTextTertiary: '#9fadaa', colorTextDescription: '#9fadaa', colorTextPlaceholder: '#8f9d9a', colorTextDisabled: '#8f9d9a', colorBgBase: '#0e1513', colorBgContainer: '#151e1b', colorBgElevated: '#1b2522', colorBgLayout: '#0e1513', colorBorder: '#38443f', colorBorderSecondary: '#25302d', colorTextLightSolid: '#06241d' },
}

export function Themed({ children }: { children: ReactNode }) {
  const [chosen, choose] = useState<Shade | null>(() => localStorage.getItem(KEPT) as Shade | null)
  const system = useSystemShade()
  const shade = chosen ?? system
  useEffect(() => void (document.documentElement.dataset.theme = shade), [shade])
  const toggle = () => {
    const next = shade === 'dark' ? 'light' : 'dark'
    localStorage.setItem(KEPT, next)
    choose(next)
  }
  return (
    <ShadeContext value={{ shade, toggle }}>
      <ConfigProvider
        locale={useSpeech().antd}
        csp={{ nonce: cspNonce }}
        button={{ autoInsertSpace: false }}
        theme={{ algorithm: shade === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm, token: TOKENS[shade], components: { Select: { optionSelectedBg: shade === 'dark' ? '#12332b' : '#e3f3ee' }, Table: { headerBg: 'transparent', headerSplitColor: 'transparent', cellPaddingInlineMD: 16, cellPaddingInlineSM: 16 }, Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none' } } }}
      >
        {children}
      </ConfigProvider>
    </ShadeContext>
  )
}

function useSystemShade(): Shade {
  const [dark, setDark] = useState(() => matchMedia(DARK).matches)
  useEffect(() => {
    const media = matchMedia(DARK)
    const follow = () => setDark(media.matches)
    media.addEventListener('change', follow)
    return () => media.removeEventListener('change', follow)
  }, [])
  return dark ? 'dark' : 'light'
}
