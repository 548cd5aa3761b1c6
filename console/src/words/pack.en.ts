import antd from 'antd/es/locale/en_US'
import words from './en'

export { antd, words }
