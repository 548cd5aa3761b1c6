// What antd's parts say in Chinese, of those that are used here: the whole of its words would be a part of the first load.
import type { Locale } from 'antd/es/locale'

const antd: Locale = {
  locale: 'zh-cn',
  global: { placeholder: '请选择', close: '关闭', sortable: '可排序', show: '显示', hide: '隐藏' },
  Empty: { description: '暂无数据' },
  Modal: { okText: '确定', cancelText: '取消', justOkText: '知道了' },
  Popconfirm: { okText: '确定', cancelText: '取消' },
  Pagination: { items_per_page: '条/页', jump_to: '跳至', jump_to_confirm: '确定', page: '页', prev_page: '上一页', next_page: '下一页', prev_5: '向前 5 页', next_5: '向后 5 页', prev_3: '向前 3 页', next_3: '向后 3 页', page_size: '每页条数' },
  Table: { emptyText: '暂无数据', sortTitle: '排序', triggerAsc: '点击升序', triggerDesc: '点击降序', cancelSort: '取消排序', expand: '展开', collapse: '收起' },
}

export default antd
