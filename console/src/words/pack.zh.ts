import antd from './antd.zh'
import words from './zh'

export { antd, words }
