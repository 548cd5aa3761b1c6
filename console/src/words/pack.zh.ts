import antd from 'antd/es/locale/zh_CN'
import words from './zh'

export { antd, words }
